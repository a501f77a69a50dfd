import { useState } from 'react';
import { Checkbox, Field, Select } from '../../components/index.ts';
import type { Settings } from '../../types.ts';
import { useWords } from '../../words/index.tsx';
import { Countries, countriesOf, rowsOf, Section } from './section.tsx';

type Policy = NonNullable<Settings['recordingPolicy']>;
type Retention = NonNullable<Settings['retention']>;
const policies = ['session', 'off', 'announce', 'consent'] as const;
const countryPolicies = ['off', 'announce', 'consent'] as const;

/** Undefined for what is no whole number. */
function whole(text: string): number | undefined {
  return /^\d{1,9}$/.test(text.trim()) ? Number(text) : undefined;
}

/** The whole, or nothing where a part of it is undefined. */
function complete<T extends object>(change: T): T | undefined {
  return Object.values(change).includes(undefined) ? undefined : change;
}

export function CallSection({ settings }: { readonly settings: Settings }) {
  const words = useWords().settings;
  const [businessName, setBusinessName] = useState(settings.businessName ?? '');
  const [timeZone, setTimeZone] = useState(settings.timeZone);
  const [ring, setRing] = useState(String(settings.ringSeconds));
  const [longest, setLongest] = useState(String(settings.maxSeconds));
  const [accept, setAccept] = useState(settings.accept);
  const [abuse, setAbuse] = useState(String(settings.abuseThreshold));
  const [report, setReport] = useState(settings.reportAfterCall ?? false);
  const change = complete({
    businessName: businessName.trim(),
    ...{ timeZone: timeZone.trim(), ringSeconds: whole(ring), maxSeconds: whole(longest) },
    ...{ accept, abuseThreshold: whole(abuse), reportAfterCall: report },
  });
  return (
    <Section title={words.calls} hint={words.intro} change={change}>
      {(problem) => (
        <>
          <div className="fields">
            <Field
              label={words.businessName}
              hint={words.businessNameHint}
              fault={problem?.at('/businessName')}
              maxLength={80}
              value={businessName}
              onChange={({ target }) => setBusinessName(target.value)}
            />
            <Field
              label={words.timeZone}
              hint={words.timeZoneHint}
              fault={problem?.at('/timeZone')}
              list="time-zones"
              required
              maxLength={64}
              value={timeZone}
              onChange={({ target }) => setTimeZone(target.value)}
            />
            <datalist id="time-zones">
              {Intl.supportedValuesOf('timeZone').map((zone) => (
                <option key={zone} value={zone} />
              ))}
            </datalist>
            <Field
              label={words.ringSeconds}
              hint={words.ringSecondsHint}
              fault={problem?.at('/ringSeconds')}
              type="number"
              min={5}
              max={120}
              value={ring}
              onChange={({ target }) => setRing(target.value)}
            />
            <Field
              label={words.maxSeconds}
              hint={words.maxSecondsHint}
              fault={problem?.at('/maxSeconds')}
              type="number"
              min={10}
              max={86_400}
              value={longest}
              onChange={({ target }) => setLongest(target.value)}
            />
            <Field
              label={words.abuseThreshold}
              hint={words.abuseThresholdHint}
              fault={problem?.at('/abuseThreshold')}
              type="number"
              min={1}
              max={1_000}
              value={abuse}
              onChange={({ target }) => setAbuse(target.value)}
            />
          </div>
          <Checkbox
            label={words.accept}
            hint={words.acceptHint}
            checked={accept}
            onChange={({ target }) => setAccept(target.checked)}
          />
          <Checkbox
            label={words.reportAfterCall}
            hint={words.reportAfterCallHint}
            checked={report}
            onChange={({ target }) => setReport(target.checked)}
          />
        </>
      )}
    </Section>
  );
}

export function RecordingSection(props: { readonly policy: Policy; readonly approval: boolean | undefined }) {
  const words = useWords().settings;
  const [policy, setPolicy] = useState(props.policy.default);
  const [rows, setRows] = useState(() => rowsOf(props.policy.countries));
  const [approval, setApproval] = useState(props.approval ?? false);
  const countries = countriesOf(rows);
  const change = countries && {
    recordingPolicy: { default: policy, countries },
    ...(props.approval === undefined ? {} : { downloadApproval: approval }),
  };
  return (
    <Section title={words.recording} hint={words.recordingHint} change={change}>
      {(problem) => (
        <>
          <Select
            label={words.policy}
            fault={problem?.at('/recordingPolicy/default')}
            value={policy}
            choices={policies.map((value) => ({ value, label: words.policies[value] }))}
            onChoose={setPolicy}
          />
          <Countries
            label={words.countries}
            valueLabel={words.rule}
            rows={rows}
            fresh="consent"
            onChange={setRows}
            field={(label, value, choose) => (
              <Select
                label={label}
                bare
                value={value}
                choices={countryPolicies.map((one) => ({ value: one, label: words.policies[one] }))}
                onChoose={choose}
              />
            )}
          />
          {props.approval !== undefined && (
            <Checkbox
              label={words.approval}
              hint={words.approvalHint}
              checked={approval}
              onChange={({ target }) => setApproval(target.checked)}
            />
          )}
        </>
      )}
    </Section>
  );
}

export function RetentionSection({ retention }: { readonly retention: Retention }) {
  const words = useWords().settings;
  const [recording, setRecording] = useState(String(retention.recordingDays));
  const [call, setCall] = useState(String(retention.callDays ?? ''));
  const [ledger, setLedger] = useState(String(retention.ledgerDays ?? ''));
  const [floor, setFloor] = useState(String(retention.legalFloorDays));
  const [rows, setRows] = useState(() => rowsOf(retention.countries));
  const named = countriesOf(rows);
  const change = complete({
    recordingDays: whole(recording),
    callDays: call.trim() === '' ? null : whole(call),
    ledgerDays: ledger.trim() === '' ? null : whole(ledger),
    legalFloorDays: whole(floor),
    countries: named && complete(named),
  });
  const days = (least: number, value: string, type: (text: string) => void) => ({
    ...{ type: 'number', min: least, max: 3_660, value },
    onChange: ({ target }: { readonly target: HTMLInputElement }) => type(target.value),
  });
  return (
    <Section title={words.retention} hint={words.retentionHint} change={change && { retention: change }}>
      {(problem) => (
        <>
          <div className="fields">
            <Field
              label={words.recordingDays}
              fault={problem?.at('/retention/recordingDays')}
              {...days(1, recording, setRecording)}
            />
            <Field
              label={words.callDays}
              hint={words.callDaysHint}
              fault={problem?.at('/retention/callDays')}
              {...days(1, call, setCall)}
            />
            <Field
              label={words.ledgerDays}
              hint={words.ledgerDaysHint}
              fault={problem?.at('/retention/ledgerDays')}
              {...days(365, ledger, setLedger)}
            />
            <Field
              label={words.legalFloorDays}
              hint={words.legalFloorDaysHint}
              fault={problem?.at('/retention/legalFloorDays')}
              {...days(0, floor, setFloor)}
            />
          </div>
          <Countries
            label={`${words.recordingCountries}. ${words.longest}`}
            valueLabel={words.days}
            rows={rows}
            fresh={365}
            onChange={setRows}
            field={(label, value, set) => (
              <Field
                label={label}
                bare
                type="number"
                min={1}
                max={3_660}
                required
                value={Number.isNaN(value) ? '' : value}
                onChange={({ target }) => set(target.valueAsNumber)}
              />
            )}
          />
        </>
      )}
    </Section>
  );
}
