import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { plainClient } from '../../support/redis/redis.js';
import type { Stage } from './stage.js';

interface PythonLikeWorker {
  /** Resolves when what it holds is delivered or back in the queue. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * A consumer that treats the queue as the original worker does: BRPOP, POST, on failure PUT `queued`, wait, and LPUSH the
 * message with `attempt_count` one higher, serialised anew.
 */
export function startPythonLikeWorker(
  stage: Stage,
  { retryMs, concurrency }: { readonly retryMs: number; readonly concurrency: number },
): PythonLikeWorker {
  const { certificates, server, keys } = stage;
  const pem = (file: string) => readFileSync(file, 'utf8');
  const tls = { ca: pem(certificates.caCert), cert: pem(certificates.workerCert), key: pem(certificates.workerKey) };
  const agent = new Agent({ ...tls, keepAlive: true });
  let stopping = false;

  function send(method: string, path: string, body: unknown): Promise<number> {
    return new Promise((resolve) => {
      const call = request(`${server.url}${path}`, { method, agent, headers: { 'content-type': 'application/json' } });
      call.on('response', (response) => response.resume().on('end', () => resolve(response.statusCode ?? 0)));
      call.on('error', () => resolve(0));
      call.end(JSON.stringify(body));
    });
  }

  async function processor(): Promise<void> {
    const popper = plainClient(stage.redis.port);
    while (!stopping) {
      const popped = await popper.brpop(keys.queue, 1);
      if (!popped) continue;
      const message = JSON.parse(popped[1]) as { message_id: string; attempt_count: number };
      const id = message.message_id;
      const status = await send('POST', '/internal/messages/deliver', { message_id: id, worker_id: 'python-1' });
      if (status === 200) continue;
      message.attempt_count += 1;
      const update = { status: 'queued', attempt_count: message.attempt_count, error_message: 'Retry attempt' };
      await send('PUT', `/internal/messages/${id}/status`, update);
      await sleep(retryMs);
      await popper.lpush(keys.queue, JSON.stringify(message));
    }
    popper.disconnect();
  }

  const processors = Promise.all(Array.from({ length: concurrency }, processor));
  return {
    async stop() {
      stopping = true;
      await processors;
      agent.destroy();
    },
  };
}
