/** Notes at a moment of a recording: sealed, and gone with it. */
import { currentActor } from '../../masking/actor.ts';
import { invalid, notFound } from '../../masking/context.ts';
import { isId, newId } from '../../masking/ids.ts';
import { MaskingError } from '../../masking/service.ts';
import * as queries from '../../store/queries/custody.ts';
import type { TrustContext } from '../context.ts';
import type { Custody, Mark } from '../service.ts';
import { checkText, sealing } from './text.ts';

/** Of one recording; who notes more writes a transcript. */
const mostMarks = 200;
/** The longest call. */
const mostMilliseconds = 86_400_000;

export function createMarks(context: TrustContext): Pick<Custody, 'addMark' | 'listMarks' | 'removeMark'> {
  const { database, doors } = context;
  const notes = sealing(context, 'recording_marks', 'note');

  async function recordingOf(tenant: string, call: string) {
    const found = isId(call, 'call') ? await queries.markedRecording(database, tenant, call) : undefined;
    if (found === undefined) throw new MaskingError('no-recording', 'This call has no recording.');
    return found;
  }

  function toMark(row: queries.MarkRow, open: (sealed: Buffer, row: string) => string): Mark {
    const { mark, milliseconds, note, author, at } = row;
    return { id: mark, milliseconds, note: open(note, mark), by: author, at };
  }

  return {
    async addMark(tenant, call, { milliseconds, note }) {
      checkText(note, 1, 2_000, '/note');
      const { recording, milliseconds: length } = await recordingOf(tenant, call);
      const most = length ?? mostMilliseconds;
      if (!Number.isInteger(milliseconds) || milliseconds < 0 || milliseconds > most) {
        throw invalid('A mark stands within the recording.', '/milliseconds');
      }
      const mark = newId(doors, 'mrk');
      const row = await queries.addMark(database, {
        ...{ tenant, recording, mark, milliseconds, actor: currentActor(), most: mostMarks },
        note: await notes.seal(tenant, note, mark),
      });
      if (row === undefined) throw invalid(`A recording has ${mostMarks} marks at most.`);
      return toMark(row, await notes.opener(tenant));
    },

    async listMarks(tenant, call) {
      const { recording } = await recordingOf(tenant, call);
      const open = await notes.opener(tenant);
      return (await queries.listMarks(database, tenant, recording)).map((row) => toMark(row, open));
    },

    async removeMark(tenant, call, mark) {
      const { recording } = await recordingOf(tenant, call);
      const actor = currentActor();
      const removed =
        isId(mark, 'mrk') && (await queries.removeMark(database, { tenant, recording, mark, actor }));
      if (!removed) throw notFound('mark');
    },
  };
}
