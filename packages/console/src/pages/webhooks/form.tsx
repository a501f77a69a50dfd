import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';
import { api, at, isProblem } from '../../api.ts';
import { Button, Dialog, ErrorBox, Field, TextArea } from '../../components/index.ts';
import type { Endpoint } from '../../types.ts';
import { useWords } from '../../words/index.tsx';

/** `endpoint`: the one to change; else a new one is made and its secret handed on. */
export function EndpointDialog(props: {
  readonly endpoint?: Endpoint;
  readonly onClose: () => void;
  readonly onMade?: (made: Endpoint & { readonly secret: string }) => void;
}) {
  const { endpoint, onClose, onMade } = props;
  const words = useWords().webhooks;
  const more = useWords().webhook;
  const common = useWords().common;
  const client = useQueryClient();
  const [url, setUrl] = useState(endpoint?.url ?? '');
  const [description, setDescription] = useState(endpoint?.description ?? '');
  const [kinds, setKinds] = useState((endpoint?.kinds ?? []).filter((kind) => kind !== '*').join('\n'));
  const save = useMutation({
    mutationFn: async () => {
      const list = kinds.split(/[\s,]+/).filter(Boolean);
      const body = {
        url: url.trim(),
        description: description.trim(),
        kinds: list.length > 0 ? list : ['*'],
      };
      if (endpoint) await api.patch<Endpoint>(at`/v1/webhooks/${endpoint.id}`, body);
      else onMade?.(await api.post<Endpoint & { secret: string }>('/v1/webhooks', body));
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['webhooks'] });
      onClose();
    },
  });
  const problem = isProblem(save.error) ? save.error : undefined;
  const kindFault = problem?.errors.find(({ pointer }) => pointer?.startsWith('/kinds'))?.detail;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Dialog title={endpoint ? more.edit : words.make} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        <Field
          label={words.url}
          hint={words.urlHint}
          fault={problem?.at('/url')}
          type="url"
          required
          maxLength={2_048}
          value={url}
          onChange={({ target }) => setUrl(target.value)}
        />
        <Field
          label={words.description}
          hint={words.descriptionHint}
          fault={problem?.at('/description')}
          maxLength={200}
          value={description}
          onChange={({ target }) => setDescription(target.value)}
        />
        <TextArea
          label={words.kinds}
          hint={words.kindsHint}
          fault={kindFault}
          value={kinds}
          onChange={({ target }) => setKinds(target.value)}
        />
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
