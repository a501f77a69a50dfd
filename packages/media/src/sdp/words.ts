/** The words of m= lines that may be kept and repeated. Whatever else a peer writes there becomes one of them. */
const KINDS: readonly string[] = ['audio', 'video', 'text', 'application', 'message', 'image'];

/** Transport protocols, each with a format that a refused line of it can name. */
const PROTOCOLS: readonly (readonly [protocol: string, format: string])[] = [
  ['RTP/AVP', '0'],
  ['RTP/AVPF', '0'],
  ['RTP/SAVP', '0'],
  ['RTP/SAVPF', '0'],
  ['UDP/TLS/RTP/SAVP', '0'],
  ['UDP/TLS/RTP/SAVPF', '0'],
  ['udptl', 't38'],
  ['TCP/MSRP', '*'],
  ['TCP/TLS/MSRP', '*'],
  ['TCP/BFCP', '*'],
  ['UDP/DTLS/SCTP', 'webrtc-datachannel'],
  ['TCP/DTLS/SCTP', 'webrtc-datachannel'],
];

export function knownKind(text: string): string {
  return KINDS.find((kind) => kind === text) ?? 'application';
}

export function knownProtocol(text: string): string {
  return PROTOCOLS.find(([protocol]) => protocol === text)?.[0] ?? 'RTP/AVP';
}

export function usualFormat(protocol: string): string {
  return PROTOCOLS.find(([known]) => known === protocol)?.[1] ?? '0';
}
