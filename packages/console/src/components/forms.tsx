/** Fields with their label, hint and fault tied together for whoever doesn't see them. */
import {
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useId,
} from 'react';
import { browserZone, useFormat } from '../format.ts';
import { useWords } from '../words/index.tsx';

interface FieldProps {
  readonly label: string;
  readonly hint?: ReactNode;
  /** What is wrong with it, from the API or from here. */
  readonly fault?: string | undefined;
  /** The label is there for screen readers only. */
  readonly bare?: boolean;
}
interface Described {
  readonly id: string;
  readonly 'aria-describedby': string | undefined;
  readonly 'aria-invalid': true | undefined;
}

function Framed(
  props: FieldProps & { readonly required: boolean; readonly children: (described: Described) => ReactNode },
) {
  const { label, hint, fault, bare = false, required, children } = props;
  const words = useWords().common;
  const id = useId();
  const describedBy = [hint ? `${id}-hint` : '', fault ? `${id}-fault` : ''].filter(Boolean).join(' ');
  return (
    <div className="field">
      <label htmlFor={id} className={bare ? 'unseen' : ''}>
        {label}
        {required && <span className="muted"> ({words.required})</span>}
      </label>
      {children({
        id,
        'aria-describedby': describedBy || undefined,
        'aria-invalid': fault ? true : undefined,
      })}
      {hint && (
        <div className="hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
      {fault && (
        <div className="fault" id={`${id}-fault`} role="alert">
          {fault}
        </div>
      )}
    </div>
  );
}

export function Field({
  label,
  hint,
  fault,
  bare,
  ...rest
}: FieldProps & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <Framed {...{ label, hint, fault, bare: bare ?? false }} required={rest.required === true && !bare}>
      {(described) => <input autoComplete="off" {...rest} {...described} />}
    </Framed>
  );
}

export function TextArea({
  label,
  hint,
  fault,
  bare,
  ...rest
}: FieldProps & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return (
    <Framed {...{ label, hint, fault, bare: bare ?? false }} required={rest.required === true && !bare}>
      {(described) => <textarea rows={3} {...rest} {...described} />}
    </Framed>
  );
}

/** A time on the wall of the zone in which times are shown; `useFormat().instant` reads it. */
export function TimeField(props: {
  readonly label: string;
  readonly value: string;
  readonly onType: (wall: string) => void;
  readonly hint?: string;
  readonly fault?: string | undefined;
  readonly required?: boolean;
}) {
  const { label, value, onType, hint, fault, required = false } = props;
  const words = useWords().common;
  const { timeZone } = useFormat();
  const zone = timeZone === browserZone ? undefined : words.zone(timeZone);
  return (
    <Field
      label={label}
      hint={[hint, zone].filter(Boolean).join(' ')}
      fault={fault}
      type="datetime-local"
      required={required}
      value={value}
      onChange={({ target }) => onType(target.value)}
    />
  );
}

export interface Choice<Value extends string> {
  readonly value: Value;
  readonly label: string;
}
export function Select<Value extends string>({
  label,
  hint,
  fault,
  bare,
  choices,
  onChoose,
  ...rest
}: FieldProps &
  Omit<SelectHTMLAttributes<HTMLSelectElement>, 'onChange' | 'value'> & {
    readonly choices: readonly Choice<Value>[];
    readonly value: Value;
    readonly onChoose: (value: Value) => void;
  }) {
  return (
    <Framed {...{ label, hint, fault, bare: bare ?? false }} required={rest.required === true && !bare}>
      {(described) => (
        <select
          {...rest}
          {...described}
          onChange={({ target }) => {
            const chosen = choices.find(({ value }) => value === target.value);
            if (chosen) onChoose(chosen.value);
          }}
        >
          {choices.map((choice) => (
            <option key={choice.value} value={choice.value}>
              {choice.label}
            </option>
          ))}
        </select>
      )}
    </Framed>
  );
}

export function Checkbox({
  label,
  hint,
  ...rest
}: Omit<InputHTMLAttributes<HTMLInputElement>, 'type'> & {
  readonly label: string;
  readonly hint?: ReactNode;
}) {
  const id = useId();
  return (
    <div className="check">
      <input type="checkbox" id={id} aria-describedby={hint ? `${id}-hint` : undefined} {...rest} />
      <label htmlFor={id}>{label}</label>
      {hint && (
        <div className="hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
    </div>
  );
}
