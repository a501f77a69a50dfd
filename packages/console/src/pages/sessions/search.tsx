/** What is looked for. All but a person's number stands in the address, so that a search can be kept and shared. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type SubmitEvent, useRef, useState } from 'react';
import { Button, Field, Select, TimeField } from '../../components/index.ts';
import { useFormat } from '../../format.ts';
import { asE164, PhoneField, usePhoneOnce } from '../../parts/phone-once.tsx';
import { mayBePhone, useHandedOver } from '../../shell/searched.ts';
import { type SessionStatus, sessionStatuses } from '../../types.ts';
import { useWords } from '../../words/index.tsx';

/** Body of `POST /v1/sessions/search`. */
export interface SessionSearch {
  readonly reference?: string;
  readonly number?: string;
  readonly status?: SessionStatus;
  readonly createdAfter?: string;
  readonly createdBefore?: string;
  readonly phone?: string;
}
interface Held {
  /** Names what is held in keys of the cache, which must not hold the number itself. */
  readonly serial: number;
  readonly phone?: string;
  /** Digits only: a reference, or a number typed without its plus. Kept out of the address. */
  readonly reference?: string;
}

export function useSessionSearch() {
  const search = useSearch({ from: '/in/sessions' });
  const format = useFormat();
  const [held, setHeld] = useState<Held>();
  const serial = useRef(0);
  const hold = (what: Omit<Held, 'serial'> | undefined) => {
    serial.current += 1;
    setHeld(what && { ...what, serial: serial.current });
  };
  useHandedOver((text) => {
    if (text === '') return hold(undefined);
    const phone = asE164(text);
    return hold(phone === undefined ? { reference: text } : { phone });
  });
  const status = sessionStatuses.find((one) => one === search['status']);
  const shown = {
    ...taken('reference', search['reference']),
    ...taken('number', asNumber(search['number'])),
    ...(status ? { status } : {}),
    ...taken('createdAfter', format.instant(search['from'] ?? '')),
    ...taken('createdBefore', format.instant(search['to'] ?? '')),
  };
  const body: SessionSearch = {
    ...shown,
    ...taken('phone', held?.phone),
    ...taken('reference', held?.reference ?? shown.reference),
  };
  return { body, key: [shown, held?.serial ?? 0] as const, held, hold };
}

function taken<Name extends string>(
  name: Name,
  value: string | undefined,
): { readonly [key in Name]?: string } {
  return (value === undefined || value === '' ? {} : { [name]: value }) as {
    readonly [key in Name]?: string;
  };
}
/** A plus sign gets lost in hand-written addresses. */
function asNumber(text: string | undefined): string | undefined {
  return text && `+${text.replaceAll(/\D/g, '')}`;
}
type Searching = ReturnType<typeof useSessionSearch>;

export function SearchForm({ held, hold }: Pick<Searching, 'held' | 'hold'>) {
  const all = useWords();
  const words = all.sessions;
  const search = useSearch({ from: '/in/sessions' });
  const navigate = useNavigate();
  const party = usePhoneOnce();
  const searched = held?.reference ?? search['reference'] ?? '';
  const [reference, setReference] = useState(searched);
  const [number, setNumber] = useState(search['number'] ?? '');
  // The header's box and the browser's "back" search too: the fields follow, with what is typed in others kept.
  const [followed, setFollowed] = useState(searched);
  if (followed !== searched) {
    setFollowed(searched);
    setReference(searched);
  }
  const change = (changed: Readonly<Record<string, string>>) =>
    void navigate({ to: '/sessions', search: { ...search, ...changed }, replace: true });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const phone = party.text === '' ? undefined : party.take();
    if (party.text !== '' && phone === undefined) return;
    const digits = mayBePhone(reference);
    if (phone !== undefined || digits) {
      hold({ ...(phone === undefined ? {} : { phone }), ...(digits ? { reference: reference.trim() } : {}) });
    } else if (held?.reference !== undefined) hold(undefined);
    change({ reference: digits ? '' : reference.trim(), number: number.trim() });
  };
  const reset = () => {
    hold(undefined);
    party.type('');
    setReference('');
    setNumber('');
    void navigate({ to: '/sessions', search: {}, replace: true });
  };
  return (
    <form className="stack" onSubmit={submit} aria-label={words.find}>
      <div className="filters">
        <Field
          label={words.reference}
          value={reference}
          maxLength={200}
          onChange={({ target }) => setReference(target.value)}
        />
        <Field
          label={words.number}
          value={number}
          inputMode="tel"
          maxLength={40}
          onChange={({ target }) => setNumber(target.value)}
        />
        <Select<SessionStatus | ''>
          label={words.status}
          value={sessionStatuses.find((one) => one === search['status']) ?? ''}
          choices={[
            { value: '', label: all.common.any },
            ...sessionStatuses.map((value) => ({ value, label: all.parts.session[value] })),
          ]}
          onChoose={(status) => change({ status })}
        />
        <TimeField
          label={words.from}
          value={search['from'] ?? ''}
          onType={(wall) => change({ from: wall })}
        />
        <TimeField label={words.to} value={search['to'] ?? ''} onType={(wall) => change({ to: wall })} />
        <PhoneField label={words.party} value={party.text} fault={party.fault} onType={party.type} />
      </div>
      <div className="row">
        <Button type="submit" look="primary">
          {all.common.search}
        </Button>
        <Button onClick={reset}>{all.common.reset}</Button>
        {held?.phone !== undefined && (
          <span className="row" role="status">
            {words.partyHeld}
            <Button look="quiet" className="small" onClick={() => hold(undefined)}>
              {words.partyForget}
            </Button>
          </span>
        )}
      </div>
    </form>
  );
}
