import type { Buffer } from 'node:buffer';
import type { FleetLook } from '../../domain/fleet/fleet-watch.js';
import { readMember } from '../../domain/fleet/member.js';
import type { RedisConnection } from '../connection/connection.js';
import { explained } from '../connection/script-refusal.js';
import type { RedisKeys } from '../keys.js';

/** All that is said, at most 1,000 words. Rejects with RedisUnavailableError. */
export async function readFleet(connection: RedisConnection, { fleet }: RedisKeys): Promise<FleetLook> {
  const flat = await wordsIn(connection, fleet);
  const [seconds, microseconds] = (await connection.call('TIME')) as [Buffer, Buffer];
  const members = [];
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const member = readMember(String(flat[at]), String(flat[at + 1]));
    if (member) members.push(member);
  }
  return { redisNow: Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000), members };
}

async function wordsIn(connection: RedisConnection, key: string): Promise<Buffer[]> {
  try {
    return (await connection.call('HGETALL', key)) as Buffer[];
  } catch (error) {
    throw await explained(error, connection, { text: '', keys: [key] });
  }
}
