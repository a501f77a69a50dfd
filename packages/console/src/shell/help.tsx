/** Which keys there are. */
import { Checkbox, Dialog } from '../components/index.ts';
import { usePreferences } from '../preferences.tsx';
import { useWords } from '../words/index.tsx';
import type { navigation } from './pages.ts';

export function KeysDialog(props: {
  readonly pages: readonly (typeof navigation)[number][];
  readonly onClose: () => void;
}) {
  const words = useWords().common;
  const { shortcuts, change } = usePreferences();
  const keys: readonly (readonly [string, string])[] = [
    ['/', words.keyWords.search],
    ['?', words.keyWords.help],
    ...props.pages.map(({ key, name }) => [`g ${key}`, words.keyWords.go(words.nav[name])] as const),
    ['↑ ↓', words.keyWords.rows],
    ['Enter', words.keyWords.open],
    ['Space', words.keyWords.select],
    ['Space', words.keyWords.play],
    ['t', words.keyWords.talk],
    ['m', words.keyWords.mark],
  ];
  return (
    <Dialog title={words.keys} onClose={props.onClose}>
      <div className="stack">
        <p className="muted">{words.keysHint}</p>
        <dl className="key-list">
          {keys.map(([key, does]) => (
            <div key={does}>
              <dt>
                {key.split(' ').map((one) => (
                  <kbd key={one}>{one}</kbd>
                ))}
              </dt>
              <dd>{does}</dd>
            </div>
          ))}
        </dl>
        <Checkbox
          label={words.keysOn}
          checked={shortcuts}
          onChange={({ target }) => change({ shortcuts: target.checked })}
        />
      </div>
    </Dialog>
  );
}
