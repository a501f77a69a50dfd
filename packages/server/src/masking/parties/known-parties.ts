/**
 * Which party a fingerprint was, the last time we looked: spares making keys that are not needed, and lets a name be
 * sealed under a known party's key in one round trip. Holds no personal data, only keyed digests and random ids. A
 * wrong memory (the party was erased meanwhile) is found out by the database and costs one more round trip.
 */
export interface KnownParties {
  find(tenant: string, fingerprint: Buffer): string | undefined;
  remember(tenant: string, fingerprint: Buffer, party: string): void;
  forget(tenant: string, fingerprint: Buffer): void;
}

/** About 200 bytes each. */
const mostEntries = 50_000;

export function createKnownParties(): KnownParties {
  const parties = new Map<string, string>();
  const keyOf = (tenant: string, fingerprint: Buffer) => `${tenant} ${fingerprint.toString('latin1')}`;
  return {
    find: (tenant, fingerprint) => parties.get(keyOf(tenant, fingerprint)),
    remember(tenant, fingerprint, party) {
      const key = keyOf(tenant, fingerprint);
      if (parties.get(key) === party) return;
      parties.delete(key);
      const oldest = parties.size >= mostEntries ? parties.keys().next().value : undefined;
      if (oldest !== undefined) parties.delete(oldest);
      parties.set(key, party);
    },
    forget: (tenant, fingerprint) => void parties.delete(keyOf(tenant, fingerprint)),
  };
}
