/**
 * The programs that nobody here wrote and that tests of real peers talk to. `vitest.config.ts` looks for them and
 * tells the tests in `SAMAR_PEERS` (names, separated by commas); `scripts/test.ts` installs the missing ones.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface Peer {
  readonly name: string;
  /** Looked for in PATH and in `alsoIn`. */
  readonly program: string;
  readonly alsoIn?: readonly string[];
  readonly debianPackage: string;
  /** Installed together with it. */
  readonly besides?: readonly string[];
  /** Completes the sentence "left out: …". */
  readonly without: string;
}

export const peers: readonly Peer[] = [
  {
    name: 'sipp',
    program: 'sipp',
    debianPackage: 'sip-tester',
    without: 'masked calls driven by SIPp over UDP and TCP',
  },
  {
    name: 'baresip',
    program: 'baresip',
    debianPackage: 'baresip-core',
    without: 'masked calls made and taken by baresip, with audio heard both ways',
  },
  {
    name: 'sox',
    program: 'sox',
    debianPackage: 'sox',
    without: 'G.711 and prompt files beside sox',
  },
  {
    name: 'tcpdump',
    program: 'tcpdump',
    debianPackage: 'tcpdump',
    without: 'what SIPp and baresip put on the wire, and what reaches the other side of it',
  },
  {
    name: 'postgresql',
    program: 'postgres',
    alsoIn: ['/usr/lib/postgresql/15/bin'],
    debianPackage: 'postgresql-15',
    without: 'the store on PostgreSQL 15, the oldest that DATABASE_URL may point to',
  },
  {
    name: 'chromium',
    program: 'chromium',
    debianPackage: 'chromium',
    // Latin and Devanagari, for the screenshots.
    besides: ['fonts-dejavu-core', 'fonts-lohit-deva'],
    without: 'the console, the transparency page and the page with two phones, in a real browser',
  },
];

/** Where the peer's program is, or undefined. */
export function findPeer(peer: Peer): string | undefined {
  const path = (process.env['PATH'] ?? '').split(delimiter);
  return [...path, '/usr/sbin', ...(peer.alsoIn ?? [])]
    .map((folder) => join(folder, peer.program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
