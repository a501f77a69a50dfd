/**
 * The header lines of a message, in order and as spelled, with look-up by any spelling.
 * A value that could break out of its line cannot be held: `set` and `add` throw, so `serialize` needs no
 * second look. What was parsed from the commonest headers is kept beside them until a header changes.
 */
import type { HeaderList, Headers, NameAddress, SipUri } from '../types.ts';
import { isSafeValue, isToken, skipQuoted, trimSpace } from './chars.ts';
import type { CSeq } from './cseq.ts';
import { type HeaderKind, headerKey, headerKind } from './names.ts';
import { UnsafeHeaderError } from './unsafe.ts';
import type { Via } from './via.ts';

export interface Memo {
  via?: Via;
  cseq?: CSeq;
  from?: NameAddress;
  to?: NameAddress;
  /** Empty when the header has no tag. */
  fromTag?: string;
  toTag?: string;
  /** `false`: looked at, and not a sip, sips or tel URI. */
  uri?: SipUri | false;
}

export class HeaderLines implements Headers {
  readonly names: string[] = [];
  readonly keys: string[] = [];
  readonly values: string[] = [];
  memo: Memo = {};

  /** For the parser, which has checked both. */
  append(name: string, key: string, value: string): void {
    this.names.push(name);
    this.keys.push(key);
    this.values.push(value);
  }

  get(name: string): string | undefined {
    const index = this.keys.indexOf(headerKey(name));
    if (index < 0) return undefined;
    const value = this.values[index] as string;
    if (!value.includes(',') || headerKind(name)?.list !== true) return value;
    return splitList(value)[0];
  }

  all(name: string): readonly string[] {
    const kind = headerKind(name);
    if (kind === undefined) return [];
    const found: string[] = [];
    for (let index = 0; index < this.keys.length; index++) {
      if (this.keys[index] !== kind.key) continue;
      const value = this.values[index] as string;
      if (kind.list && value.includes(',')) found.push(...splitList(value));
      else found.push(value);
    }
    return found;
  }

  has(name: string): boolean {
    return this.keys.includes(headerKey(name));
  }

  set(name: string, value: string): void {
    const kind = checked(name, value);
    const index = this.keys.indexOf(kind.key);
    if (index < 0) {
      this.append(name, kind.key, value);
    } else {
      this.names[index] = name;
      this.values[index] = value;
      for (let later = this.keys.length - 1; later > index; later--) {
        if (this.keys[later] === kind.key) this.drop(later);
      }
    }
    this.memo = {};
  }

  add(name: string, value: string): void {
    this.append(name, checked(name, value).key, value);
    this.memo = {};
  }

  remove(name: string): void {
    const key = headerKey(name);
    for (let index = this.keys.length - 1; index >= 0; index--) {
      if (this.keys[index] === key) this.drop(index);
    }
    this.memo = {};
  }

  *entries(): Iterable<readonly [name: string, value: string]> {
    for (let index = 0; index < this.names.length; index++) {
      yield [this.names[index] as string, this.values[index] as string];
    }
  }

  private drop(index: number): void {
    this.names.splice(index, 1);
    this.keys.splice(index, 1);
    this.values.splice(index, 1);
  }
}

/**
 * New headers. Throws `UnsafeHeaderError` when a name is no token or a value holds a CR, LF, NUL or another
 * control character that the grammar doesn't allow there; so do `set` and `add` of what is returned.
 */
export const createHeaders = (list: HeaderList = []): Headers => {
  const headers = new HeaderLines();
  for (const [name, value] of list) headers.append(name, checked(name, value).key, value);
  return headers;
};

const checked = (name: string, value: string): HeaderKind => {
  const kind = headerKind(name);
  if (kind === undefined || !isToken(name)) throw new UnsafeHeaderError('a header name that is no token');
  if (!isSafeValue(value)) throw new UnsafeHeaderError(`a control character in a header value: ${kind.key}`);
  return kind;
};

/** Splits at commas outside quotes and angle brackets. Empty elements stay, for a reader to refuse. */
export const splitList = (value: string): string[] => {
  const found: string[] = [];
  let start = 0;
  let bracketed = false;
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code === 34 && !bracketed) {
      const end = skipQuoted(value, at);
      if (end < 0) break;
      at = end - 1;
    } else if (code === 60) bracketed = true;
    else if (code === 62) bracketed = false;
    else if (code === 44 && !bracketed) {
      found.push(trimSpace(value.substring(start, at)));
      start = at + 1;
    }
  }
  found.push(trimSpace(value.substring(start)));
  return found;
};
