/** A recording leaves the house: asked for with a reason, approved by a second person where the tenant wants that. */
import { currentActor } from '../../masking/actor.ts';
import { checkPage, notFound, toPage } from '../../masking/context.ts';
import { isId, newId } from '../../masking/ids.ts';
import { MaskingError } from '../../masking/service.ts';
import * as queries from '../../store/queries/custody.ts';
import type { TrustContext } from '../context.ts';
import type { Custody, Download } from '../service.ts';
import { checkReason, sealing } from './text.ts';

/** One that nobody has decided by then has to be asked for again: a week. */
const decideHours = 7 * 24;
/** Long enough for a colleague in another time zone, too short to be forgotten. */
const fetchHours = 24;

export function createDownloads(
  context: TrustContext,
): Pick<Custody, 'requestDownload' | 'listDownloads' | 'decideDownload' | 'openDownload'> {
  const { database, doors, masking } = context;
  const reasons = sealing(context, 'recording_downloads', 'reason');

  async function toDownload(tenant: string, row: queries.DownloadRow): Promise<Download> {
    const open = await reasons.opener(tenant);
    return toItem(row, open);
  }

  function toItem(row: queries.DownloadRow, open: (sealed: Buffer, row: string) => string): Download {
    const { download, status } = row;
    const fetchable = row.decided_at !== null && status !== 'refused';
    return {
      ...{ id: download, call: row.call, reason: open(row.reason, download), status },
      ...{ requestedBy: row.requested_by, requestedAt: row.requested_at },
      ...(row.decided_by === null ? {} : { decidedBy: row.decided_by }),
      ...(row.decided_at === null ? {} : { decidedAt: row.decided_at }),
      ...(fetchable ? { expiresAt: row.expires_at } : {}),
    };
  }

  async function known(tenant: string, download: string): Promise<queries.DownloadRow> {
    const row = isId(download, 'dwn') ? await queries.readDownload(database, tenant, download) : undefined;
    if (row === undefined) throw notFound('download');
    return row;
  }

  return {
    async requestDownload(tenant, call, reason) {
      checkReason(reason, 500);
      const { downloadApproval } = await masking.getSettings(tenant);
      const download = newId(doors, 'dwn');
      const [row] = isId(call, 'call')
        ? await queries.requestDownload(database, {
            ...{ tenant, download, call, actor: currentActor(), approved: !downloadApproval },
            reason: await reasons.seal(tenant, reason, download),
            hours: downloadApproval ? decideHours : fetchHours,
          })
        : [];
      if (row === undefined) throw new MaskingError('no-recording', 'This call has no recording.');
      if (row.restricted) {
        throw new MaskingError(
          'subject-restricted',
          'Somebody in this call has asked that their data be left alone.',
        );
      }
      return toDownload(tenant, row);
    },

    async listDownloads(tenant, { status }, page) {
      const { limit, after } = checkPage(page);
      const rows = await queries.listDownloads(database, { tenant, status, after, limit: limit + 1 });
      const open = await reasons.opener(tenant);
      return toPage(
        rows,
        limit,
        (row) => row.download,
        (row) => toItem(row, open),
      );
    },

    async decideDownload(tenant, download, approve) {
      const actor = currentActor();
      const before = await known(tenant, download);
      if (await queries.areOneHand(database, tenant, before.requested_by, actor)) {
        throw new MaskingError('own-request', 'A second person must decide.');
      }
      const row = await queries.decideDownload(database, {
        ...{ tenant, download, actor, approve },
        hours: fetchHours,
      });
      if (row === undefined) throw new MaskingError('already-decided', 'It does not wait any more.');
      return toDownload(tenant, row);
    },

    async openDownload(tenant, download) {
      const actor = currentActor();
      const row = await known(tenant, download);
      if (row.status !== 'approved' || row.requested_by !== actor) {
        throw new MaskingError('download-not-approved', 'It can not be fetched, or not by you.');
      }
      const open = await reasons.opener(tenant);
      return masking.openRecording(tenant, row.call, {
        ...{ actor, download },
        reason: open(row.reason, download),
      });
    },
  };
}
