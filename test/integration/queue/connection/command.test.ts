import { Buffer } from 'node:buffer';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { RedisCommand } from '../../../../src/queue/connection/command.js';
import { useRedis } from '../../../support/redis/redis.js';

/** What command.ts relies on in ioredis. */
const redis = useRedis();

class Watched extends RedisCommand {
  readonly written: (string | Buffer)[] = [];

  override toWritable(): string | Buffer {
    const bytes = super.toWritable();
    this.written.push(bytes);
    return bytes;
  }
}

test('the client writes what toWritable gives, once, and answers with bytes', async () => {
  const client = new Redis({ host: redis.host, port: redis.port, protocol: 2 });
  try {
    const bytes = Buffer.from([0xff, 0x00, 0x0a]);
    const command = new Watched('ECHO', [bytes]);
    expect(await client.sendCommand(command)).toEqual(bytes);
    expect(command.written).toHaveLength(1);
    await expect(client.sendCommand(new Watched('LPOP', ['key', 'not a number']))).rejects.toThrow(/^ERR value/);
    const nested = new Watched('EVAL', ['return {1, {"a", false}}', 0]);
    expect(await client.sendCommand(nested)).toEqual([1, [Buffer.from('a'), null]]);
  } finally {
    client.disconnect();
  }
});
