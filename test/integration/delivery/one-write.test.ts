import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { buildConnector, Client } from 'undici';
import { describe, expect, test } from 'vitest';
import { joinWrites } from '../../../src/delivery/exchange/one-write.js';
import { useCertificates } from '../../support/main-server/certificates.js';
import { expectNoLeftovers } from '../../support/program/leftovers.js';
import { useMainServer } from '../../support/main-server/main-server.js';

/** What one-write.ts relies on in undici, over plain sockets and over TLS. */
expectNoLeftovers();
const certificates = useCertificates();

/** Remembers each part that is handed to the socket itself. */
function watched(connect: buildConnector.connector, parts: string[]): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...result) => {
      const [, socket] = result;
      if (socket) {
        const write = socket.write.bind(socket) as (data: string | Uint8Array, encoding?: BufferEncoding) => boolean;
        socket.write = ((data: string | Uint8Array, encoding?: BufferEncoding) => {
          parts.push(Buffer.from(data).toString());
          return write(data, encoding);
        }) as typeof socket.write;
      }
      callback(...result);
    });
}

const BODY = '{"message_id":"ü","worker_id":"worker-1"}';

async function post(url: string, connect: buildConnector.connector): Promise<number> {
  const client = new Client(url, { connect });
  try {
    const headers = { 'content-type': 'application/json' };
    const answer = await client.request({ path: '/internal/messages/deliver', method: 'POST', headers, body: BODY });
    await answer.body.dump();
    return answer.statusCode;
  } finally {
    await client.close();
  }
}

/** As server-connection.ts does it. */
function joined(connect: buildConnector.connector, mayLeave: () => boolean): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...result) => {
      if (result[1]) joinWrites(result[1], mayLeave);
      callback(...result);
    });
}

describe.each([
  ['http', useMainServer()],
  ['https', useMainServer(certificates)],
])('over %s', (_, main) => {
  const connector = () => {
    const { caCert, workerCert, workerKey } = certificates.files;
    return buildConnector({ ca: readFileSync(caCert), cert: readFileSync(workerCert), key: readFileSync(workerKey) });
  };

  test('undici by itself writes head and body in two parts: the file is still needed', async () => {
    const parts: string[] = [];
    expect(await post(main.server.url, watched(connector(), parts))).toBe(200);
    expect(parts).toEqual([expect.stringMatching(/^POST .*\r\n\r\n$/s), BODY]);
  });

  test('a POST leaves in one part, as it was', async () => {
    const parts: string[] = [];
    expect(
      await post(
        main.server.url,
        joined(watched(connector(), parts), () => true),
      ),
    ).toBe(200);
    expect(parts).toEqual([expect.stringMatching(/^POST .*\r\n\r\n\{"message_id":"ü".*\}$/s)]);
    expect(main.server.ledger.of('ü')).toHaveLength(1);
  });

  test('one that may not leave any more does not: nothing of it is written', async () => {
    const parts: string[] = [];
    await expect(
      post(
        main.server.url,
        joined(watched(connector(), parts), () => false),
      ),
    ).rejects.toMatchObject({
      code: 'ETIMEDOUT',
    });
    expect(parts).toEqual([]);
  });
});
