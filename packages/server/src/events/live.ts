import type { Context } from '../masking/context.ts';
import { unbuilt } from '../masking/unbuilt.ts';
import type { LiveEvents } from './service.ts';

export function createLiveEvents(_context: Context): LiveEvents {
  return unbuilt('live events');
}
