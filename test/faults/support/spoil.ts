import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fleet } from '../../support/program/fleet.js';

export function breakSettings(fleet: Fleet): void {
  appendFileSync(join(fleet.cwd, '.env'), 'WORKER_CONCURRENCY=many\n');
}

export function breakCertificate(fleet: Fleet): void {
  writeFileSync(join(fleet.cwd, 'certs', 'worker.crt'), 'rubbish\n');
}
