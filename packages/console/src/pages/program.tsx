/** One program: its versions, its text with what is wrong where it is wrong, and what it would do. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { api, at, isProblem } from '../api.ts';
import {
  Badge,
  Button,
  Card,
  ErrorBox,
  Field,
  Loading,
  Page,
  Select,
  useToast,
} from '../components/index.ts';
import { useFormat } from '../format.ts';
import { useMay } from '../identity.ts';
import { useWords } from '../words/index.tsx';
import { type Program, writeDefinition } from './programs/data.ts';
import { Editor, type Fault, select } from './programs/editor.tsx';
import { jsonPlaces, placeOf } from './programs/json-places.ts';
import { Try } from './programs/try.tsx';

/** What a new one begins with. */
const example = {
  rules: [{ name: 'evening', when: 'now.hour >= 21', then: { refuse: 'closed' } }, { then: { connect: {} } }],
};

export function ProgramPage() {
  const words = useWords().program;
  const { id } = useParams({ strict: false });
  const search: Readonly<Record<string, string>> = useSearch({ strict: false });
  const version = search['version'] ?? '';
  const isNew = id === undefined || id === 'new';
  const newest = useQuery({
    queryKey: ['programs', 'one', id],
    queryFn: ({ signal }) => api.get<Program>(at`/v1/programs/${id ?? ''}`, {}, { signal }),
    enabled: !isNew,
  });
  const older = useQuery({
    queryKey: ['programs', 'one', id, version],
    queryFn: ({ signal }) => api.get<Program>(at`/v1/programs/${id ?? ''}`, { version }, { signal }),
    enabled: !isNew && version !== '',
  });
  const shown = version === '' ? newest : older;
  const error = newest.error ?? shown.error;
  return (
    <Page
      title={isNew ? words.new : (newest.data?.name ?? words.title)}
      trail={<Link to="/programs">{words.all}</Link>}
    >
      <ErrorBox error={error} onRetry={() => void shown.refetch()} />
      {isNew ? (
        <Workbench key="new" program={undefined} newest={1} />
      ) : shown.data && newest.data ? (
        // The text that is being written stays when somebody else saves; another version is another text.
        <Workbench key={`${id} ${version}`} program={shown.data} newest={newest.data.version} />
      ) : (
        !error && <Loading />
      )}
    </Page>
  );
}

function Workbench({ program, newest }: { readonly program: Program | undefined; readonly newest: number }) {
  const words = useWords().program;
  const common = useWords().common;
  const format = useFormat();
  const may = useMay();
  const area = useRef<HTMLTextAreaElement>(null);
  const [name, setName] = useState(program?.name ?? '');
  const [text, setText] = useState(() => writeDefinition(program?.definition ?? example));
  const [problem, setProblem] = useState<unknown>();
  const [savedText, setSavedText] = useState(program ? text : '');
  const definition = parsed(text);
  const save = useSave({ program, name, definition, setProblem, saved: () => setSavedText(text) });
  const check = useCheck(definition, setProblem);
  const show = (pointer: string) => {
    const place = placeOf(jsonPlaces(text), pointer);
    if (place) select(area.current, place.from, place.to);
  };
  const change = (next: string) => {
    setText(next);
    setProblem(undefined);
  };
  const mayWrite = may('programs:write');
  const old = program && program.version < newest;
  return (
    <div className="columns">
      <Card
        actions={
          <>
            {program && <Versions program={program} newest={newest} />}
            {text !== savedText && <Badge tone="warn">{words.unsaved}</Badge>}
          </>
        }
      >
        {old && <p className="notice">{words.older(format.number(program.version))}</p>}
        <Field
          label={words.name}
          hint={words.nameHint}
          fault={isProblem(problem) ? problem.at('/name') : undefined}
          value={name}
          required
          maxLength={63}
          readOnly={!mayWrite}
          onChange={({ target }) => setName(target.value)}
        />
        <Editor text={text} faults={faultsOf(problem)} readOnly={!mayWrite} area={area} onChange={change} />
        <ErrorBox error={faultsOf(problem).length > 0 ? undefined : problem} />
        <div className="row">
          <Button
            disabled={definition === undefined}
            onClick={() => change(JSON.stringify(definition, null, 2))}
          >
            {words.format}
          </Button>
          <Button disabled={definition === undefined} busy={check.isPending} onClick={() => check.mutate()}>
            {words.check}
          </Button>
          {mayWrite && (
            <Button
              look="primary"
              disabled={definition === undefined || name.trim() === ''}
              busy={save.isPending}
              onClick={() => save.mutate()}
            >
              {program ? words.save : common.save}
            </Button>
          )}
        </div>
      </Card>
      <Try definition={definition} show={show} onProblem={setProblem} />
    </div>
  );
}

function Versions({ program, newest }: { readonly program: Program; readonly newest: number }) {
  const words = useWords().program;
  const format = useFormat();
  const navigate = useNavigate();
  const choices = Array.from({ length: newest }, (_, index) => newest - index).map((version) => ({
    value: version === newest ? '' : String(version),
    label: version === newest ? words.newest(format.number(version)) : format.number(version),
  }));
  return (
    <Select
      label={words.version}
      bare
      value={program.version === newest ? '' : String(program.version)}
      choices={choices}
      onChoose={(version) =>
        void navigate({ to: '/programs/$id', params: { id: program.id }, search: version ? { version } : {} })
      }
    />
  );
}

function useSave(options: {
  readonly program: Program | undefined;
  readonly name: string;
  readonly definition: unknown;
  readonly setProblem: (problem: unknown) => void;
  readonly saved: () => void;
}) {
  const { program, name, definition, setProblem, saved } = options;
  const words = useWords().program;
  const format = useFormat();
  const client = useQueryClient();
  const navigate = useNavigate();
  const toast = useToast();
  return useMutation({
    mutationFn: () => {
      const body = { name: name.trim(), definition };
      return program
        ? api.patch<Program>(at`/v1/programs/${program.id}`, body)
        : api.post<Program>('/v1/programs', body);
    },
    onError: setProblem,
    onSuccess: async (made) => {
      setProblem(undefined);
      saved();
      toast(words.saved(format.number(made.version)));
      await client.invalidateQueries({ queryKey: ['programs'] });
      await navigate({ to: '/programs/$id', params: { id: made.id }, search: {}, replace: true });
    },
  });
}

/** By the explain test, which refuses a wrong program as saving would. */
function useCheck(definition: unknown, setProblem: (problem: unknown) => void) {
  const words = useWords().program;
  const toast = useToast();
  return useMutation({
    mutationFn: () =>
      api.post('/v1/programs/test', { definition, roles: ['agent', 'customer'], caller: 'customer' }),
    onError: setProblem,
    onSuccess: () => {
      setProblem(undefined);
      toast(words.checked);
    },
  });
}

/** What the API found wrong within the definition. */
function faultsOf(problem: unknown): readonly Fault[] {
  if (!isProblem(problem)) return [];
  return problem.errors.flatMap(({ pointer, detail }) =>
    pointer?.startsWith('/definition') ? [{ pointer: pointer.slice('/definition'.length), detail }] : [],
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
