/** Token lists in headers: Supported, Require, Allow. */
import type { SipMessage, SipRequest } from '../types.ts';
import { EXTENSIONS } from './context.ts';

export function tokens(message: SipMessage, name: string): readonly string[] {
  if (!message.headers.has(name)) return [];
  const found: string[] = [];
  for (const line of message.headers.all(name)) {
    for (const token of line.split(',')) if (token.trim() !== '') found.push(token.trim());
  }
  return found;
}

/** Option tags are compared without case (RFC 3261 section 7.3.1). */
export function lists(message: SipMessage, name: string, token: string): boolean {
  if (!message.headers.has(name)) return false;
  return tokens(message, name).some((one) => one.toLowerCase() === token.toLowerCase());
}

/** Option tags in Require that we do not know (RFC 3261 section 8.2.2.3); empty when all is well. */
export function unsupported(request: SipRequest): readonly string[] {
  return tokens(request, 'Require').filter((tag) => !EXTENSIONS.has(tag.toLowerCase()));
}

/** Whether the body is something we read: application/sdp, plain (RFC 3261 section 8.2.3). */
export function bodyIsReadable(request: SipRequest): boolean {
  if (request.body.length === 0) return true;
  const type = (request.headers.get('Content-Type') ?? '').split(';')[0]?.trim().toLowerCase();
  const encoding = request.headers.get('Content-Encoding')?.trim().toLowerCase();
  return type === 'application/sdp' && (encoding === undefined || encoding === 'identity');
}
