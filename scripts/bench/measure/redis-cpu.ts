import type { Redis } from 'ioredis';

/** User and system time of the process of Redis since its start, all threads, in steps of a microsecond. */
export async function redisCpuSeconds(redis: Redis): Promise<number> {
  const page = await redis.info('cpu');
  const of = (name: string) => Number(new RegExp(`^used_cpu_${name}:([\\d.]+)`, 'm').exec(page)?.[1]);
  return of('sys') + of('user');
}
