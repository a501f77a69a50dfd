/**
 * A person's number, typed once: shown as dots while it is typed, handed over, and gone from the page. It goes into a
 * request's body and never into an address, a log or anything that is kept.
 */
import { type ReactNode, useState } from 'react';
import { Field } from '../components/index.ts';
import { useWords } from '../words/index.tsx';

/** What people write between digits is left out; what is no E.164 then is undefined. */
export function asE164(text: string): string | undefined {
  const plain = text.replaceAll(/[\s().-]/g, '');
  return /^\+[1-9]\d{6,14}$/.test(plain) ? plain : undefined;
}

export function PhoneField(props: {
  readonly label: string;
  readonly value: string;
  readonly onType: (text: string) => void;
  readonly hint?: ReactNode;
  readonly fault?: string | undefined;
  readonly required?: boolean;
}) {
  const { label, value, onType, hint, fault, required = false } = props;
  const words = useWords().parts;
  return (
    <Field
      label={label}
      hint={hint ?? words.phoneHint}
      fault={fault}
      type="password"
      inputMode="tel"
      autoComplete="off"
      data-1p-ignore
      data-lpignore="true"
      spellCheck={false}
      maxLength={40}
      required={required}
      value={value}
      onChange={({ target }) => onType(target.value)}
    />
  );
}

/** State of such a field: `take` gives the number once and empties the field, or says what is wrong. */
export function usePhoneOnce() {
  const words = useWords().parts;
  const [text, setText] = useState('');
  const [fault, setFault] = useState<string>();
  return {
    text,
    fault,
    type: (next: string) => {
      setText(next);
      setFault(undefined);
    },
    take: (): string | undefined => {
      const phone = asE164(text);
      if (phone === undefined) setFault(words.phoneFault);
      else setText('');
      return phone;
    },
  };
}
