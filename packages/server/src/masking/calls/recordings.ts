/** Recordings' rows and keys, and the two uses of personal data by a person: to listen and to reveal. */
import * as queries from '../../store/queries/recordings.ts';
import { KeyDestroyed } from '../../vault/errors.ts';
import type { TenantVault } from '../../vault/types.ts';
import { type Context, invalid, notFound, withKeys } from '../context.ts';
import { isId, newId } from '../ids.ts';
import { openKey, openPhone } from '../parties/party-keys.ts';
import { holdsPhoneNumber } from '../parties/phone-numbers.ts';
import { type Masking, MaskingError } from '../service.ts';
import type { CallMasking, MessagesStep } from '../types.ts';

type Access = Parameters<Masking['openRecording']>[2];

export function createRecordings(context: Context): Pick<
  CallMasking,
  'recordingStarted' | 'recordingRefused' | 'recordingDiscarded' | 'recordingEnded' | 'messageHeard'
> &
  Pick<Masking, 'openRecording' | 'revealPhone'> & {
    /** Files and keys of messages, in order; one whose keys were destroyed is left out. */
    voicemails(tenant: string, recordings: readonly string[]): Promise<MessagesStep['messages']>;
  } {
  const { database, doors } = context;

  const recordingStarted: CallMasking['recordingStarted'] = async (start) => {
    const { tenant, call, session, announcement } = start;
    const wanted = [...new Set(start.parties)];
    const rows = await queries.readPartyKeys(database, tenant, wanted);
    if (rows.length < wanted.length) throw new KeyDestroyed('a party of the call was erased');
    const recording = newId(doors, 'rec');
    const { key, wrapped } = await withKeys(context, tenant, (keys) =>
      keys.newSharedKey(recording, openAll(keys, rows)),
    );
    const file = `${recording}.rec`;
    await queries.insertRecording(database, {
      tenant,
      recording,
      call,
      session,
      file,
      wrappedKey: wrapped,
      parties: rows.map((row) => row.party),
      partyKeys: rows.map((row) => row.party_key),
      announcement,
      addressees: start.voicemailFor,
      heard: start.heard ?? [],
    });
    return { recording, file, key };
  };

  const openRecording: Masking['openRecording'] = async (tenant, call, access) => {
    checkAccess(access);
    const row = isId(call, 'call') ? await queries.openRecording(database, tenant, call, access) : undefined;
    if (row === undefined) throw new MaskingError('no-recording', 'This call has no recording.');
    const { wrapped_key: wrapped } = row;
    if (row.restricted || wrapped === null) {
      throw restricted('Somebody in this call has asked that their data be left alone.');
    }
    const keyRows = await queries.readNamedPartyKeys(database, tenant, row.parties, row.party_keys);
    if (keyRows.length < row.parties.length) {
      throw new MaskingError(
        'recording-unreadable',
        'A party of this call was erased; its recording is unreadable.',
      );
    }
    const key = await withKeys(context, tenant, (keys) =>
      keys.openSharedKey(row.recording, openAll(keys, keyRows), wrapped),
    );
    return {
      ...{ recording: row.recording, file: row.file, key, status: row.status },
      ...(row.bytes === null ? {} : { bytes: Number(row.bytes) }),
      ...(row.sha256 === null || row.sha256 === '' ? {} : { sha256: row.sha256 }),
    };
  };

  async function voicemails(
    tenant: string,
    recordings: readonly string[],
  ): Promise<MessagesStep['messages']> {
    const rows = await queries.readVoicemails(database, tenant, recordings);
    const opened = await Promise.all(
      rows.map(async (row) => {
        const keyRows = await queries.readNamedPartyKeys(database, tenant, row.parties, row.party_keys);
        if (keyRows.length < row.parties.length) return [];
        const key = await withKeys(context, tenant, (keys) =>
          keys.openSharedKey(row.recording, openAll(keys, keyRows), row.wrapped_key),
        );
        return [{ recording: row.recording, file: row.file, key }];
      }),
    );
    return opened.flat();
  }

  const revealPhone: Masking['revealPhone'] = async (tenant, session, participant, access) => {
    checkAccess(access);
    const rows =
      isId(session, 'ses') && isId(participant, 'par')
        ? await queries.revealPhones(database, tenant, session, participant, access)
        : [];
    if (rows.length === 0) throw notFound('participant');
    if (rows.some((row) => row.restricted))
      throw restricted('They have asked that their data be left alone.');
    return withKeys(context, tenant, (keys) =>
      rows.map((row) => openPhone(keys, row)).filter((phone) => phone !== undefined),
    );
  };

  return {
    recordingStarted,
    recordingRefused: (refused) => queries.recordingRefused(database, refused),
    recordingDiscarded: (discard) => queries.discardRecording(database, discard),
    recordingEnded: (end) => queries.endRecording(database, end),
    messageHeard: (heard) => queries.messageHeard(database, heard),
    openRecording,
    voicemails,
    revealPhone,
  };
}

function openAll(keys: TenantVault, rows: readonly queries.PartyKeyRow[]) {
  return rows.map((row) => openKey(keys, row)).filter((cipher) => cipher !== undefined);
}

function restricted(detail: string): MaskingError {
  return new MaskingError('subject-restricted', detail);
}

function checkAccess(access: Access): void {
  const reason = access.reason.trim();
  if (reason.length < 3 || reason.length > 500 || reason.includes('\0')) {
    throw invalid('Say why, in 3 to 500 characters.', '/reason');
  }
  // It stands in the ledger, and the person concerned may read it.
  if (holdsPhoneNumber(reason)) throw invalid('A reason holds no phone number.', '/reason');
}
