/** What a person is told who started a command that failed: system errors of ports come with what to do. */
export function inWords(error: unknown): string {
  if (!(error instanceof Error)) return 'failed';
  const { code, port, address } = error as { code?: unknown; port?: unknown; address?: unknown };
  if (typeof port !== 'number') return error.message;
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} is in use by another program; stop that one, or choose another port (SAMAR_HTTP_PORT, SAMAR_SIP_PORT, SAMAR_SIP_TLS_PORT)`;
    case 'EADDRNOTAVAIL':
      return `${address} is no address of this machine; set SAMAR_HTTP_HOST or SAMAR_SIP_HOST to one that is, or to 0.0.0.0 for all`;
    case 'EACCES':
      return `this user may not use port ${port}; choose a port from 1024 on (SAMAR_HTTP_PORT, SAMAR_SIP_PORT, SAMAR_SIP_TLS_PORT)`;
    default:
      return error.message;
  }
}
