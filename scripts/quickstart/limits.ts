/** How many deliveries each worker may have in flight, as it has found out. */
import type { StatusDocument } from '../../supervisor/status/status-document.js';

export function limitLine({ workers }: Pick<StatusDocument, 'workers'>): string {
  const limits = workers.map(({ id, concurrency_limit: limit }) => `${id} ${limit ?? 'unknown'}`);
  return `  limits          ${limits.join(', ')} in flight, as found out on the way`;
}
