import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';
import { api, at, isProblem } from '../../api.ts';
import { Button, Dialog, ErrorBox, Field, Select, TextArea } from '../../components/index.ts';
import type { Carrier } from '../../types.ts';
import { useWords } from '../../words/index.tsx';

type Outbound = '+e164' | 'e164' | 'national';
const transports = ['udp', 'tcp', 'tls'] as const;

interface Values {
  readonly name: string;
  readonly host: string;
  readonly port: string;
  readonly transport: Carrier['transport'];
  readonly sources: string;
  readonly callerTrust: Carrier['callerTrust'];
  readonly outbound: Outbound;
  readonly inboundCountry: string;
  readonly username: string;
  readonly password: string;
}

function valuesOf(carrier: Carrier | undefined): Values {
  return {
    ...{ name: carrier?.name ?? '', host: carrier?.host ?? '', port: String(carrier?.port ?? '') },
    ...{ transport: carrier?.transport ?? 'udp', sources: (carrier?.allowedSources ?? []).join('\n') },
    callerTrust: carrier?.callerTrust ?? 'trusted',
    outbound: carrier?.numberFormat?.outbound ?? '+e164',
    inboundCountry: carrier?.numberFormat?.inboundCountry ?? '',
    ...{ username: '', password: '' },
  };
}

function bodyOf(values: Values, isNew: boolean) {
  const sources = values.sources.split(/[\s,]+/).filter(Boolean);
  return {
    ...{ name: values.name.trim(), host: values.host.trim(), transport: values.transport },
    callerTrust: values.callerTrust,
    ...(isNew ? { kind: 'sip' } : {}),
    ...(values.port === '' ? {} : { port: Number(values.port) }),
    ...(isNew && sources.length === 0 ? {} : { allowedSources: sources }),
    numberFormat: {
      outbound: values.outbound,
      ...(values.inboundCountry === '' ? {} : { inboundCountry: values.inboundCountry.toUpperCase() }),
    },
    ...(values.username === '' ? {} : { auth: { username: values.username, password: values.password } }),
  };
}

/** `carrier`: the one to change; else a new one is made. */
export function CarrierDialog(props: {
  readonly carrier?: Carrier | undefined;
  readonly onClose: () => void;
}) {
  const { carrier, onClose } = props;
  const words = useWords().carriers;
  const common = useWords().common;
  const client = useQueryClient();
  const [values, setValues] = useState(() => valuesOf(carrier));
  const set = (change: Partial<Values>) => setValues((before) => ({ ...before, ...change }));
  const save = useMutation({
    mutationFn: () =>
      carrier
        ? api.patch<Carrier>(at`/v1/carriers/${carrier.id}`, bodyOf(values, false))
        : api.post<Carrier>('/v1/carriers', bodyOf(values, true)),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['carriers'] });
      onClose();
    },
  });
  const faultAt = (pointer: string) => (isProblem(save.error) ? save.error.at(pointer) : undefined);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const text = (name: 'name' | 'host' | 'port' | 'inboundCountry' | 'username' | 'password') => ({
    label: words[name],
    value: values[name],
    fault: faultAt(name === 'inboundCountry' ? '/numberFormat/inboundCountry' : `/${name}`),
    onChange: ({ target }: { readonly target: HTMLInputElement }) => set({ [name]: target.value }),
  });
  return (
    <Dialog title={carrier ? `${words.edit}: ${carrier.name}` : words.make} onClose={onClose} wide>
      <form className="stack" onSubmit={submit}>
        <div className="fields">
          <Field {...text('name')} required maxLength={100} />
          <Field {...text('host')} hint={words.hostHint} required maxLength={253} />
          <Field {...text('port')} hint={words.portHint} type="number" min={1} max={65_535} />
          <Select
            label={words.transport}
            value={values.transport}
            choices={transports.map((value) => ({ value, label: value.toUpperCase() }))}
            onChoose={(transport) => set({ transport })}
          />
        </div>
        <TextArea
          label={words.sources}
          hint={words.sourcesHint}
          value={values.sources}
          onChange={({ target }) => set({ sources: target.value })}
        />
        <div className="fields">
          <Select
            label={words.trust}
            value={values.callerTrust}
            choices={(['trusted', 'untrusted'] as const).map((value) => ({
              value,
              label: words.trusts[value],
            }))}
            onChoose={(callerTrust) => set({ callerTrust })}
          />
          <Select
            label={words.outbound}
            value={values.outbound}
            choices={(['+e164', 'e164', 'national'] as const).map((value) => ({
              value,
              label: words.outbounds[value],
            }))}
            onChoose={(outbound) => set({ outbound })}
          />
          <Field {...text('inboundCountry')} hint={words.inboundCountryHint} maxLength={2} />
        </div>
        <div className="fields">
          <Field {...text('username')} hint={carrier?.hasAuth ? words.authKept : words.authHint} />
          <Field {...text('password')} type="password" autoComplete="new-password" />
        </div>
        <ErrorBox error={save.error} />
        <div className="row end">
          <Button onClick={onClose}>{common.cancel}</Button>
          <Button type="submit" look="primary" busy={save.isPending}>
            {common.save}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
