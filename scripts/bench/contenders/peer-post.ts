import { readFileSync } from 'node:fs';
import { Pool } from 'undici';

/** Handed to the peers' processes as JSON in their first argument. */
export interface PeerSetup {
  readonly redisPort: number;
  readonly url: string;
  readonly caCert: string;
  readonly workerCert: string;
  readonly workerKey: string;
  readonly concurrency: number;
  /** Failures are what is measured: they are not printed. */
  readonly retries: boolean;
}

/** What a peer does with a message: one POST over a kept connection, in the way undici's documentation shows. */
export function createPost(setup: PeerSetup): (messageId: string) => Promise<void> {
  const pool = new Pool(setup.url, {
    connections: setup.concurrency,
    pipelining: 1,
    connect: {
      ca: readFileSync(setup.caCert),
      cert: readFileSync(setup.workerCert),
      key: readFileSync(setup.workerKey),
    },
  });
  return async (messageId) => {
    const { statusCode, body } = await pool.request({
      path: '/internal/messages/deliver',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ message_id: messageId, worker_id: 'peer' }),
    });
    await body.dump();
    if (statusCode !== 200) throw new Error(`HTTP ${statusCode}`);
  };
}
