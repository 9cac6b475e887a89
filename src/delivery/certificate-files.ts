import { statSync } from 'node:fs';
import type { Config } from '../shared/config/config.js';
import type { Credentials } from './tls-credentials.js';

/**
 * Another text whenever one of the files that `readCredentials` would read is another than before. Through links; with
 * the time of the last change of mode, since a key that others could read is cured by chmod alone.
 */
export function stampOfFiles(config: Pick<Config, 'mainServer' | 'tls'>): string {
  const { enabled, certFile, keyFile, caFile } = config.tls;
  const pair = enabled ? [certFile, keyFile] : [];
  const authority = config.mainServer.verifyTls && caFile !== '' ? [caFile] : [];
  return [...pair, ...authority].map(stampOf).join(' ');
}

/** What cannot be looked at (a folder closed for a moment, a stale network mount) has its error for a stamp. */
function stampOf(path: string): string {
  try {
    const stat = statSync(path, { bigint: true });
    return [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(':');
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}

/** A file that was only touched, or restored, changes nothing. */
export function areSame(one: Credentials, other: Credentials): boolean {
  return one.cert === other.cert && one.key === other.key && one.ca === other.ca;
}
