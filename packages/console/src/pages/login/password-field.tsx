import { useState } from 'react';
import { Checkbox, Field } from '../../components/index.ts';
import { useWords } from '../../words/index.tsx';

export function PasswordField(props: {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly autoComplete: 'current-password' | 'new-password';
  readonly hint?: string;
  readonly fault?: string | undefined;
  readonly autoFocus?: boolean;
}) {
  const { value, onValue, ...rest } = props;
  const words = useWords().login;
  const [shown, setShown] = useState(false);
  return (
    <>
      <Field
        {...rest}
        type={shown ? 'text' : 'password'}
        required
        maxLength={1000}
        spellCheck={false}
        value={value}
        onChange={({ target }) => onValue(target.value)}
      />
      <Checkbox label={words.show} checked={shown} onChange={({ target }) => setShown(target.checked)} />
    </>
  );
}
