import { afterAll, beforeAll } from 'vitest';
import { waitFor } from '../wait-for.js';

/** What a test must have closed: sockets, servers, children, file watchers. */
const WATCHED = ['TCPSocketWrap', 'TCPServerWrap', 'TLSWrap', 'ProcessWrap', 'FSEventWrap'];

/**
 * Fails a test file that leaves sockets, servers or children open. Call it first in the file: vitest runs `afterAll`
 * hooks in reverse order, so the check comes after everything else has been closed.
 */
export function expectNoLeftovers(): void {
  let before: ReadonlyMap<string, number> = new Map();
  beforeAll(() => {
    before = openResources();
  });
  afterAll(async () => {
    const left = () => [...openResources()].filter(([type, count]) => count > (before.get(type) ?? 0));
    await waitFor(() => left().length === 0, { what: 'all handles to be closed' }).catch(() => {
      throw new Error(
        `Left open by this file: ${left()
          .map(([type, count]) => `${count} ${type}`)
          .join(', ')}`,
      );
    });
  });
}

function openResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const type of process.getActiveResourcesInfo()) {
    if (WATCHED.includes(type)) counts.set(type, (counts.get(type) ?? 0) + 1);
  }
  return counts;
}
