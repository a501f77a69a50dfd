/**
 * Deletion is the destruction of a key: from then on the file is noise, wherever copies of it are. By hand, or when the
 * tenant's retention is over; never while a hold stands.
 */
import { defaultSettings, settingsOf } from '../../masking/access/settings.ts';
import { currentActor } from '../../masking/actor.ts';
import { isId } from '../../masking/ids.ts';
import { MaskingError } from '../../masking/service.ts';
import * as queries from '../../store/queries/custody.ts';
import type { TrustContext } from '../context.ts';
import type { Custody } from '../service.ts';
import type { RecordingFiles } from './files.ts';
import { checkReason } from './text.ts';

const batch = 500;

export function createDeletion(
  context: TrustContext,
  files: RecordingFiles,
): Pick<Custody, 'deleteRecording' | 'removeFiles' | 'runRetention'> {
  const { database } = context;

  async function shred(request: Parameters<typeof queries.shredRecordings>[1]): Promise<number> {
    const rows = await queries.shredRecordings(database, request);
    await files.remove(request.tenant, rows);
    return rows.length;
  }

  async function retain(tenant: string, stored: Readonly<Record<string, unknown>>): Promise<number> {
    const { recordingDays: days, countries } = settingsOf(stored, defaultSettings).retention;
    const shortestDays = Math.min(days, ...Object.values(countries));
    let after: { readonly startedAt: string; readonly recording: string } | undefined;
    let deleted = 0;
    for (;;) {
      const rows = await queries.readOldRecordings(database, {
        ...{ tenant, after, shortestDays, days, countries, limit: batch },
      });
      const due = rows.filter((row) => row.due).map((row) => row.recording);
      if (due.length > 0) {
        const actor = currentActor();
        deleted += await shred({
          ...{ tenant, recordings: due, why: 'retention', actor },
          details: { reason: 'retention' },
        });
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < batch) return deleted;
      after = { startedAt: last.started_at, recording: last.recording };
    }
  }

  return {
    async deleteRecording(tenant, call, reason) {
      checkReason(reason, 500);
      const rows = isId(call, 'call') ? await queries.deletableRecordings(database, tenant, call) : [];
      if (rows.length === 0) throw new MaskingError('no-recording', 'This call has no recording.');
      const deleted = await shred({
        ...{ tenant, recordings: rows.map((row) => row.recording), why: 'deleted', actor: currentActor() },
        details: { reason: reason.trim() },
      });
      if (deleted > 0) return;
      const left = await queries.deletableRecordings(database, tenant, call);
      // Deleted by somebody else in the same moment: it is gone, as was asked.
      if (left.some((row) => row.held)) {
        throw new MaskingError('on-hold', 'A hold stands on the session of this call.');
      }
    },

    async removeFiles(tenant, call) {
      return files.remove(tenant, await queries.deletedRecordings(database, tenant, call));
    },

    async runRetention() {
      let deleted = 0;
      let after = '';
      for (;;) {
        const tenants = await queries.readTenants(database, after, batch);
        for (const { tenant, settings } of tenants) deleted += await retain(tenant, settings);
        const last = tenants.at(-1);
        if (last === undefined || tenants.length < batch) return deleted;
        after = last.tenant;
      }
    },
  };
}
