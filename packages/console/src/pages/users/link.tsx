import { Button, CopyButton, Dialog, Field } from '../../components/index.ts';
import { useFormat } from '../../format.ts';
import type { User } from '../../types.ts';
import { useWords } from '../../words/index.tsx';

export interface Invited {
  readonly user: User;
  readonly invitationUrl: string;
  readonly expiresAt: string;
}

/** Shown once; nothing keeps it. */
export function LinkDialog({
  invited,
  onClose,
}: {
  readonly invited: Invited;
  readonly onClose: () => void;
}) {
  const words = useWords().users;
  const format = useFormat();
  return (
    <Dialog title={words.linkTitle} onClose={onClose}>
      <div className="stack">
        <p>{words.linkHint(invited.user.name, format.dateTime(invited.expiresAt))}</p>
        <Field
          label={words.link}
          readOnly
          value={invited.invitationUrl}
          onFocus={({ target }) => target.select()}
        />
        <div className="row end">
          <CopyButton text={invited.invitationUrl} label={words.link} />
          <Button look="primary" onClick={onClose}>
            {words.done}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
