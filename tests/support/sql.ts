import { openDatabase } from '../../packages/server/src/store/index.ts';

/** What a statement answers, asked beside the platform on a connection of its own. */
export async function rowsOf<Row>(url: string, statement: string): Promise<readonly Row[]> {
  const database = await openDatabase({ url, migrations: false });
  try {
    return await database.query<Row>('', statement, []);
  } finally {
    await database.close();
  }
}
