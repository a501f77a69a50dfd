/** One endpoint: its state, its secret, a test, and its deliveries. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api, at } from '../api.ts';
import {
  Button,
  Card,
  ConfirmDialog,
  CopyButton,
  ErrorBox,
  Fact,
  Facts,
  Loading,
  Page,
  Time,
} from '../components/index.ts';
import { useFormat } from '../format.ts';
import { useMay } from '../identity.ts';
import type { Delivery, Endpoint } from '../types.ts';
import { useWords } from '../words/index.tsx';
import { Deliveries } from './webhooks/deliveries.tsx';
import { EndpointDialog } from './webhooks/form.tsx';
import { Secret } from './webhooks/secret.tsx';
import { EndpointState } from './webhooks.tsx';

/** What waits is counted again so often, so that sending again shows how far it is. */
const refreshMilliseconds = 3_000;

export function WebhookPage() {
  const words = useWords().webhook;
  const may = useMay();
  const { id = '' } = useParams({ strict: false });
  const endpoint = useQuery({
    queryKey: ['webhooks', 'one', id],
    queryFn: ({ signal }) => api.get<Endpoint>(at`/v1/webhooks/${id}`, {}, { signal }),
    refetchInterval: ({ state }) => ((state.data?.pending ?? 0) > 0 ? refreshMilliseconds : false),
  });
  const { data } = endpoint;
  return (
    <Page
      title={words.title}
      subtitle={data?.url}
      trail={<Link to="/webhooks">{words.all}</Link>}
      actions={data && may('webhooks:write') && <Actions endpoint={data} />}
    >
      <ErrorBox error={endpoint.error} onRetry={() => void endpoint.refetch()} />
      {endpoint.isLoading && <Loading />}
      {data && (
        <>
          <Overview endpoint={data} />
          {may('webhooks:write') && <Secret endpoint={data} />}
          <Deliveries endpoint={data} />
        </>
      )}
    </Page>
  );
}

function Overview({ endpoint }: { readonly endpoint: Endpoint }) {
  const words = useWords().webhook;
  const list = useWords().webhooks;
  const format = useFormat();
  const { kinds, description, pending, dead, createdAt, lastDeliveredAt, publicKey } = endpoint;
  return (
    <Card>
      <Facts>
        <Fact name={list.state}>
          <EndpointState endpoint={endpoint} />
        </Fact>
        {description && <Fact name={list.description}>{description}</Fact>}
        <Fact name={list.kinds}>{kinds.includes('*') ? list.everything : kinds.join(', ')}</Fact>
        <Fact name={list.pending}>{format.number(pending)}</Fact>
        <Fact name={list.dead}>{format.number(dead)}</Fact>
        {lastDeliveredAt && (
          <Fact name={list.lastDelivered}>
            <Time at={lastDeliveredAt} />
          </Fact>
        )}
        <Fact name={list.created}>
          <Time at={createdAt} />
        </Fact>
        <Fact name={words.publicKey}>
          <code>{publicKey}</code> <CopyButton text={publicKey} label={words.publicKey} />
        </Fact>
      </Facts>
    </Card>
  );
}

type Asked = 'edit' | 'turnOff' | 'remove';

function Actions({ endpoint }: { readonly endpoint: Endpoint }) {
  const words = useWords().webhook;
  const client = useQueryClient();
  const navigate = useNavigate();
  const [asked, setAsked] = useState<Asked>();
  const path = at`/v1/webhooks/${endpoint.id}`;
  const refresh = () => client.invalidateQueries({ queryKey: ['webhooks'] });
  const close = () => setAsked(undefined);
  const turn = useMutation({
    mutationFn: (enabled: boolean) => api.patch<Endpoint>(path, { enabled }),
    onSuccess: () => refresh().then(close),
  });
  const remove = useMutation({
    mutationFn: () => api.remove(path),
    onSuccess: async () => {
      await navigate({ to: '/webhooks', replace: true });
      await refresh();
    },
  });
  return (
    <>
      <Test path={path} refresh={refresh} />
      <Button onClick={() => setAsked('edit')}>{words.edit}</Button>
      {endpoint.enabled ? (
        <Button onClick={() => setAsked('turnOff')}>{words.turnOff}</Button>
      ) : (
        <Button busy={turn.isPending} onClick={() => turn.mutate(true)}>
          {words.turnOn}
        </Button>
      )}
      <Button look="danger" onClick={() => setAsked('remove')}>
        {words.remove}
      </Button>
      {asked === undefined && <ErrorBox error={turn.error} />}
      {asked === 'edit' && <EndpointDialog endpoint={endpoint} onClose={close} />}
      {asked === 'turnOff' && (
        <ConfirmDialog
          title={words.turnOff}
          action={words.turnOff}
          busy={turn.isPending}
          error={turn.error}
          onConfirm={() => turn.mutate(false)}
          onClose={close}
        >
          {words.turnOffHint}
        </ConfirmDialog>
      )}
      {asked === 'remove' && (
        <ConfirmDialog
          title={words.remove}
          action={words.remove}
          danger
          busy={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate()}
          onClose={close}
        >
          {words.removeHint}
        </ConfirmDialog>
      )}
    </>
  );
}

function Test({ path, refresh }: { readonly path: string; readonly refresh: () => Promise<void> }) {
  const words = useWords().webhook;
  const common = useWords().common;
  const test = useMutation({ mutationFn: () => api.post<Delivery>(`${path}/test`), onSuccess: refresh });
  const answer = test.data?.lastAnswer ?? common.unknown;
  return (
    <>
      {test.data && (
        <span role="status">
          {test.data.status === 'delivered' ? words.tested(answer) : words.testFailed(answer)}
        </span>
      )}
      <ErrorBox error={test.error} />
      <Button title={words.testHint} busy={test.isPending} onClick={() => test.mutate()}>
        {words.test}
      </Button>
    </>
  );
}
