import { testServerUrl } from './testing.ts';

/** For Vitest's `globalSetup`: the tests' database server is up before the first test. It ends by itself. */
export async function setup(): Promise<void> {
  await testServerUrl();
}
