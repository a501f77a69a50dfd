import type { AudioDescription, Codec, Direction } from '../types.ts';
import type { ChosenCodec } from './compose.ts';

/** The first of our `preference` that the peer has too; undefined when there is none. */
export function chooseCodec(remote: AudioDescription, preference: readonly Codec[]): ChosenCodec | undefined {
  for (const codec of preference) {
    const known = remote.codecs.find((offered) => offered.codec === codec);
    if (known !== undefined) return known;
  }
  return undefined;
}

/** The same stream seen from the other end (RFC 3264 section 6.1): what one sends the other receives. */
export function mirrorDirection(direction: Direction): Direction {
  switch (direction) {
    case 'sendonly':
      return 'recvonly';
    case 'recvonly':
      return 'sendonly';
    case 'sendrecv':
    case 'inactive':
      return direction;
  }
}
