import type { Doors } from '@samar/doors';

/**
 * `ses_`, `par_`, … followed by 32 hexadecimal digits: 48 bits of milliseconds and 80 random ones, so that ids sort
 * by time of making and can't be guessed. `new_id` in the database makes the same shape.
 */
export type IdPrefix =
  | 'ses'
  | 'par'
  | 'pty'
  | 'num'
  | 'car'
  | 'call'
  | 'rec'
  | 'key'
  | 'led'
  | 'prg'
  | 'blk'
  | 'evt'
  | 'dsp'
  | 'nte'
  | 'hld'
  | 'dwn'
  | 'mrk'
  | 'prv'
  | 'lgl'
  | 'usr'
  | 'whk'
  | 'dlv';

export function newId(doors: Pick<Doors, 'clock' | 'random'>, prefix: IdPrefix): string {
  const time = doors.clock.now().toString(16).padStart(12, '0').slice(-12);
  return `${prefix}_${time}${doors.random.bytes(10).toString('hex')}`;
}

const shape = /^[a-z]{3,4}_[0-9a-f]{32}$/;

/** Whether `text` can be one of our ids of this kind: asked before it goes into a statement. */
export function isId(text: string, prefix: IdPrefix): boolean {
  return text.startsWith(`${prefix}_`) && shape.test(text);
}
