import { clusterDirectory, EMBEDDED_USER } from './cluster.ts';
import { isPostmaster, readPostmasterFile } from './postmaster.ts';

/**
 * How to reach the embedded server that another process runs in this data directory, as a URL for `openDatabase`;
 * undefined when none runs. For short commands beside a running platform: whoever may read the data directory may.
 */
export function runningEmbeddedUrl(dataDirectory: string): string | undefined {
  const cluster = clusterDirectory(dataDirectory);
  const file = readPostmasterFile(cluster);
  if (file?.status !== 'ready' || file.socketDirectory === '' || !isPostmaster(file.pid, cluster))
    return undefined;
  return `postgresql://${EMBEDDED_USER}@/samar?host=${encodeURIComponent(file.socketDirectory)}`;
}
