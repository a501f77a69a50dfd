/**
 * Passwords: argon2id with OWASP's parameters (19 MiB, two passes, one lane), in libuv's threads. At most four are
 * worked on at once and 32 wait: more would take the memory and the cores that calls need. Beyond that: `LoginBusy`.
 */
import { hash, verify } from '@node-rs/argon2';

/** 2: argon2id; the package's own name for it is a const enum, which is not there under type stripping. */
const parameters = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const atOnce = 4;
const mostWaiting = 32;

/** More want to log in than the machine can check passwords of. */
export class LoginBusy extends Error {
  override readonly name = 'LoginBusy';
}

export interface Passwords {
  hash(password: string): Promise<string>;
  /** Without a hash as much work is done, and the answer is false. */
  verify(hash: string | undefined, password: string): Promise<boolean>;
}

export function createPasswords(): Passwords {
  let working = 0;
  const waiting: (() => void)[] = [];
  let nobodys: Promise<string> | undefined;

  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (working < atOnce) working += 1;
    else {
      if (waiting.length >= mostWaiting) throw new LoginBusy('too many passwords are being checked');
      await new Promise<void>((resume) => waiting.push(resume));
    }
    try {
      return await work();
    } finally {
      // The place goes to who waits, if anybody does.
      const next = waiting.shift();
      if (next) next();
      else working -= 1;
    }
  }

  return {
    hash: (password) => inTurn(() => hash(password.normalize('NFC'), parameters)),
    verify: (known, password) =>
      inTurn(async () => {
        nobodys ??= hash('the password of nobody', parameters);
        const right = await verify(known ?? (await nobodys), password.normalize('NFC'));
        return right && known !== undefined;
      }),
  };
}
