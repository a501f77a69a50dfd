import { carriers } from './carriers.ts';
import { common } from './common.ts';
import { dispute } from './dispute.ts';
import { disputes } from './disputes.ts';
import { invitation } from './invitation.ts';
import { keys } from './keys.ts';
import { ledger } from './ledger.ts';
import { listen } from './listen.ts';
import { login } from './login.ts';
import { numbers } from './numbers.ts';
import { overview } from './overview.ts';
import { parts } from './parts.ts';
import { privacy } from './privacy.ts';
import { profile } from './profile.ts';
import { program } from './program.ts';
import { programs } from './programs.ts';
import { session } from './session.ts';
import { sessions } from './sessions.ts';
import { settings } from './settings.ts';
import { users } from './users.ts';
import { webhook } from './webhook.ts';
import { webhooks } from './webhooks.ts';

export const en = {
  common,
  parts,
  listen,
  login,
  invitation,
  profile,
  overview,
  users,
  keys,
  sessions,
  session,
  disputes,
  dispute,
  numbers,
  carriers,
  programs,
  program,
  ledger,
  webhooks,
  webhook,
  settings,
  privacy,
};
