/** What an endpoint's deliveries are signed with; at rest in one sealed value. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Doors } from '@samar/doors';
import type { TenantVault } from '../vault/types.ts';
import type { Signers } from './signature.ts';

export interface EndpointKeys {
  /** `whsec_…` */
  readonly secret: string;
  /** The one before; signs for 24 hours after the change. */
  readonly previous?: string;
  /** PKCS #8 of the ed25519 key, in base64. */
  readonly privateKey: string;
}

type Random = Pick<Doors, 'random'>;

export function newKeys(doors: Random): EndpointKeys {
  const { privateKey } = generateKeyPairSync('ed25519');
  const exported = privateKey.export({ format: 'der', type: 'pkcs8' });
  return { secret: newSecret(doors), privateKey: exported.toString('base64') };
}

export function withNewSecret(doors: Random, { secret, privateKey }: EndpointKeys): EndpointKeys {
  return { secret: newSecret(doors), previous: secret, privateKey };
}

/** `whpk_` and base64 of the 32 bytes. */
export function publicKeyOf({ privateKey }: EndpointKeys): string {
  const { x = '' } = createPublicKey(readKey(privateKey)).export({ format: 'jwk' });
  return `whpk_${Buffer.from(x, 'base64url').toString('base64')}`;
}

export function signersOf({ secret, previous, privateKey }: EndpointKeys, withPrevious: boolean): Signers {
  const secrets = withPrevious && previous !== undefined ? [secret, previous] : [secret];
  return { secrets, privateKey: readKey(privateKey) };
}

export function sealKeys(vault: TenantVault, endpoint: string, keys: EndpointKeys): Buffer {
  return vault.seal(Buffer.from(JSON.stringify(keys)), field(vault.tenant, endpoint));
}

export function openKeys(vault: TenantVault, endpoint: string, sealed: Buffer): EndpointKeys {
  return JSON.parse(vault.open(sealed, field(vault.tenant, endpoint)).toString('utf8')) as EndpointKeys;
}

function readKey(privateKey: string): KeyObject {
  return createPrivateKey({ key: Buffer.from(privateKey, 'base64'), format: 'der', type: 'pkcs8' });
}

function newSecret(doors: Random): string {
  return `whsec_${doors.random.bytes(32).toString('base64')}`;
}

const field = (tenant: string, endpoint: string) => ({
  tenant,
  table: 'webhook_endpoints',
  column: 'keys',
  row: endpoint,
});
