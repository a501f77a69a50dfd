import type { Queries } from '../types.ts';

/** This node lives, in this life of it. */
export async function announceNode(
  queries: Queries,
  node: { readonly node: string; readonly boot: string },
): Promise<void> {
  await queries.query(
    'announce_node',
    `insert into nodes (node, boot) values ($1, $2)
      on conflict (node) do update set seen_at = now(), boot = excluded.boot,
        started_at = case when nodes.boot = excluded.boot then nodes.started_at else now() end`,
    [node.node, node.boot],
  );
}

/** Nodes that went long ago and left no call behind. */
export async function forgetNodes(queries: Queries): Promise<void> {
  await queries.query(
    'forget_nodes',
    `delete from nodes n where n.seen_at < now() - interval '1 day'
      and not exists (select from calls c where c.node = n.node and c.ended_at is null)`,
    [],
  );
}
