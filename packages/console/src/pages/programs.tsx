/** Saved programs in their newest versions. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, at } from '../api.ts';
import {
  Badge,
  Button,
  type Column,
  ConfirmDialog,
  Empty,
  ErrorBox,
  Loading,
  Page,
  Pager,
  Table,
  Time,
  useToast,
} from '../components/index.ts';
import { useFormat } from '../format.ts';
import { useMay } from '../identity.ts';
import { usePages } from '../pages-of.ts';
import { useWords } from '../words/index.tsx';
import type { Program } from './programs/data.ts';

export function ProgramsPage() {
  const words = useWords().programs;
  const may = useMay();
  const navigate = useNavigate();
  const pages = usePages<Program>({ key: ['programs', 'list'], path: '/v1/programs' });
  const [removing, setRemoving] = useState<Program>();
  const columns = useColumns(setRemoving);
  const open = (id: string) => void navigate({ to: '/programs/$id', params: { id } });
  return (
    <Page
      title={words.title}
      actions={
        may('programs:write') && (
          <Button look="primary" onClick={() => open('new')}>
            {words.make}
          </Button>
        )
      }
    >
      <ErrorBox error={pages.error} onRetry={pages.refetch} />
      {pages.loading ? (
        <Loading />
      ) : pages.items.length === 0 && !pages.error ? (
        <Empty>{words.none}</Empty>
      ) : (
        <Table
          label={words.title}
          columns={columns}
          rows={pages.items}
          idOf={({ id }) => id}
          onOpen={({ id }) => open(id)}
        />
      )}
      <Pager pages={pages} />
      {removing && <Remove program={removing} onClose={() => setRemoving(undefined)} />}
    </Page>
  );
}

function useColumns(remove: (program: Program) => void): readonly Column<Program>[] {
  const words = useWords().programs;
  const common = useWords().common;
  const format = useFormat();
  const may = useMay();
  return [
    {
      key: 'name',
      head: words.name,
      grow: true,
      cell: ({ id, name }) => (
        <Link to="/programs/$id" params={{ id }} tabIndex={-1}>
          {name}
        </Link>
      ),
    },
    {
      key: 'default',
      head: words.default,
      cell: (program) => program.default && <Badge tone="info">{words.isDefault}</Badge>,
    },
    { key: 'version', head: words.version, align: 'end', cell: ({ version }) => format.number(version) },
    {
      key: 'rules',
      head: words.rules,
      align: 'end',
      cell: ({ definition }) => format.number(definition.rules?.length ?? 0),
    },
    { key: 'updated', head: words.updated, cell: ({ updatedAt }) => <Time at={updatedAt} /> },
    ...(may('programs:write')
      ? [
          {
            key: 'actions',
            head: common.actions,
            cell: (program: Program) => <Actions program={program} remove={remove} />,
          },
        ]
      : []),
  ];
}

function Actions({
  program,
  remove,
}: {
  readonly program: Program;
  readonly remove: (one: Program) => void;
}) {
  const words = useWords().programs;
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: () => api.patch<Program>(at`/v1/programs/${program.id}`, { default: !program.default }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['programs'] }),
  });
  const label = program.default ? words.unsetDefault : words.setDefault;
  return (
    <span className="row">
      <Button
        look="quiet"
        className="small"
        title={words.defaultHint}
        aria-label={`${label}: ${program.name}`}
        busy={change.isPending}
        onClick={() => change.mutate()}
      >
        {label}
      </Button>
      <Button
        look="quiet"
        className="small"
        aria-label={`${words.remove}: ${program.name}`}
        onClick={() => remove(program)}
      >
        {words.remove}
      </Button>
      <ErrorBox error={change.error} />
    </span>
  );
}

function Remove({ program, onClose }: { readonly program: Program; readonly onClose: () => void }) {
  const words = useWords().programs;
  const client = useQueryClient();
  const toast = useToast();
  const remove = useMutation({
    mutationFn: () => api.remove(at`/v1/programs/${program.id}`),
    onSuccess: async () => {
      toast(words.removed);
      await client.invalidateQueries({ queryKey: ['programs'] });
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title={`${words.remove}: ${program.name}`}
      action={words.remove}
      danger
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    >
      {words.removeHint}
    </ConfirmDialog>
  );
}
