/**
 * How many pairs of sockets this process can afford: half of its file descriptors, two a pair. The rest is for SIP,
 * HTTP, the database and the recordings. Node raises the soft limit to the hard one when it starts.
 */
import { readFileSync } from 'node:fs';

/** Where there is no /proc (macOS): what a process is given there at least. */
const UNKNOWN_LIMIT = 10_240;

export function mostPairs(): number {
  return Math.floor(openFiles() / 4);
}

function openFiles(): number {
  try {
    const soft = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    return soft === 'unlimited' ? 1_048_576 : Number(soft) || UNKNOWN_LIMIT;
  } catch {
    return UNKNOWN_LIMIT;
  }
}
