/** One request outside dialogs (OPTIONS, REGISTER, MESSAGE) and its final response. */
import { composeRequest, headerText, type Outline, safe } from '../transaction/compose.ts';
import type { Hop } from '../transport/hop.ts';
import type { RequestOptions, RequestOutcome } from '../types.ts';
import { addressText } from './addresses.ts';
import { ALLOW, type Context, contactOf, SUPPORTED, viaOf } from './context.ts';
import { Authorizer } from './credentials.ts';

/** Rejects with a `TypeError` only when the options themselves cannot be written into a message. */
export async function requestOutside(context: Context, options: RequestOptions): Promise<RequestOutcome> {
  const { identifiers } = context;
  const { method, uri } = options;
  if (!/^[A-Z]{1,32}$/.test(method) || method === 'INVITE' || method === 'ACK' || method === 'CANCEL') {
    throw new TypeError('not a method for a request outside dialogs');
  }
  const frame = {
    method,
    uri: safe(uri, 'the Request-URI'),
    routes: [],
    from: `${addressText(options.from)};tag=${identifiers.tag()}`,
    to: addressText(options.to),
    callId: identifiers.callId(),
  };
  const extra = headerText(options.headers);
  const contactUser = safe(options.contactUser ?? identifiers.token(), 'the contact user');
  const authorizer = new Authorizer(context, options.credentials);
  let sequence = identifiers.sequence();

  const once = (hop: Hop, authorization: string) =>
    new Promise<RequestOutcome>((resolve) => {
      const outline: Outline = {
        ...frame,
        via: viaOf(context, hop.transport, hop.address),
        branch: identifiers.branch(),
        sequence: sequence++,
      };
      const contact = contactOf(context, hop.transport, hop.address, contactUser);
      const head = `Contact: ${contact}\r\n${ALLOW}${SUPPORTED}${extra}${authorization}${context.agentLine}`;
      const bytes = composeRequest(outline, head, options.contentType ?? 'text/plain', options.body);
      const pending = { abandon: () => give({ kind: 'unreachable' }) };
      const give = (outcome: RequestOutcome) => {
        context.calls.delete(pending);
        resolve(outcome);
      };
      context.calls.add(pending);
      context.layer.plain(hop, outline.branch, method, bytes, {
        onResponse(response, flow) {
          if (response.status < 200) return;
          const line = authorizer.answer(response, flow, hop, method, uri, options.body);
          if (!line) {
            give({ kind: 'response', response });
            return;
          }
          context.calls.delete(pending);
          resolve(once(hop, line));
        },
        onFailure: (kind) => give({ kind }),
      });
    });

  let last: RequestOutcome = { kind: 'unreachable' };
  for (const hop of await context.resolver.resolve(options.target)) {
    last = await once(hop, '');
    const passing = last.kind === 'response' && last.response.status === 503;
    if (last.kind === 'response' && !passing) return last;
    context.resolver.avoid(hop);
  }
  return last;
}
