/** nginx where it can be had, since it costs a quarter of a Node server; otherwise our https server. Both count requests. */
import { delimiter } from 'node:path';
import type { CertificateFiles } from '../../../supervisor/certificates/certificates.js';
import type { Closers } from '../../local/closers.js';
import { findProgram, ProgramMissingError, type ProgramRequest } from '../../local/find-program.js';
import { HttpsSink } from './https-sink.js';
import { NginxSink } from './nginx-sink.js';
import type { Sink } from './sink.js';

interface SinkOptions {
  readonly folder: string;
  readonly certificates: CertificateFiles;
  /** Half of the POSTs are answered with 500. */
  readonly failHalf?: boolean;
  /** May a missing nginx be installed? */
  readonly install: boolean;
  readonly announce: (text: string) => void;
}

export const NGINX: ProgramRequest = {
  names: ['nginx'],
  debianPackage: 'nginx-light',
  debianServices: ['nginx'],
  otherwise: {
    linux: 'Install nginx with your package manager.',
    darwin: 'Install nginx with "brew install nginx".',
    win32: 'There is no nginx worth measuring with on Windows.',
  },
};

/** One that runs until `closers` are closed. */
export async function openSink(options: SinkOptions, closers: Closers): Promise<Sink> {
  const { folder, certificates, failHalf = false } = options;
  const nginx = await findNginx(options);
  const sink = nginx
    ? new NginxSink({ nginx, folder, certificates, failHalf })
    : new HttpsSink({ certificates, failHalf });
  closers.add(() => sink.stop());
  await sink.start();
  return sink;
}

async function findNginx({ install, announce }: SinkOptions): Promise<string | undefined> {
  // Debian keeps daemons where only root's PATH leads
  const path = [process.env['PATH'] ?? '', '/usr/sbin', '/usr/local/sbin'].join(delimiter);
  try {
    return (await findProgram(NGINX, { install, announce, path })).path;
  } catch (error) {
    if (!(error instanceof ProgramMissingError)) throw error;
    return undefined;
  }
}
