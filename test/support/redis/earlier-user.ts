import type { Redis } from 'ioredis';

/** The line of version 1's ecosystem.md for a user of Redis, as its operators have it. */
const VERSION_1 =
  '~message_queue ~{message_queue}:* +hello +auth +select +ping +info +quit +command +client +eval +evalsha +blmove ' +
  '+brpoplpush +brpop +rpop +rpoplpush +lpush +rpush +lrem +llen +lrange +lindex +zadd +zrem +zcard +zscore +zrange ' +
  '+zrangebyscore +hget +hdel +hincrby +exists +expire +time';

export const EARLIER_USER = { username: 'mbw', password: 'secret' };

/** Makes the user, or gives the one that is there these commands and no others. */
export async function permitAsVersion1(client: Redis): Promise<void> {
  await setUser(client, ...VERSION_1.split(' '));
}

/** All commands, for the same user. */
export async function permitAll(client: Redis): Promise<void> {
  await setUser(client, '~*', '+@all');
}

async function setUser(client: Redis, ...rules: readonly string[]): Promise<void> {
  const { username, password } = EARLIER_USER;
  const [first = '', ...others] = rules;
  // what was permitted before goes by one command, and connections stay
  await client.call('ACL', 'SETUSER', username, 'resetkeys', '-@all', 'on', `>${password}`, first, ...others);
}
