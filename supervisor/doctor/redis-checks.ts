import { CAUSE } from '../../src/shared/words/causes.js';
import { problemKind, withOperatorQueue, type OperatorQueue } from '../../src/queue/operator-queue.js';
import type { Clock } from '../../src/shared/time/clock.js';
import type { Config } from '../../src/shared/config/config.js';
import { reasonOf } from '../../src/shared/errors.js';
import { clockFinding, fail, ok, warn, type Finding } from './finding.js';
import { permissionFindings } from './permission-checks.js';
import { queueFindings } from './queue-checks.js';

const FULL = 0.9;

/** Whether Redis can be reached, and can be trusted with messages. Never rejects. */
export async function checkRedis(config: Config, clock: Clock): Promise<Finding[]> {
  try {
    return await withOperatorQueue(config, clock, async (queue) => [
      ok('redis', `reachable at ${queue.address}`),
      ...(await serverFindings(queue)),
      ...(await usageFindings(queue, config, clock)),
    ]);
  } catch (error) {
    return [fail('redis', `${CAUSE.redis}: ${reasonOf(error)}`, adviceFor(error, config.redis))];
  }
}

/** What the user may not do keeps us from looking, too: it is said once. */
async function usageFindings(queue: OperatorQueue, config: Config, clock: Clock): Promise<Finding[]> {
  const permitted = await permissionFindings(queue, config.redis.username);
  const isLimited = permitted.some(({ level }) => level !== 'ok');
  try {
    return [...permitted, await clockOf(queue, clock), ...(await queueFindings(queue, config, clock))];
  } catch (error) {
    if (isLimited && queue.isReady()) return permitted;
    throw error;
  }
}

/** Whoever is refused needs no other server, and whoever finds nobody no other password. */
function adviceFor(error: unknown, redis: Config['redis']): string {
  switch (problemKind(error)) {
    case 'nobody':
      return `Start Redis ("sudo systemctl start redis"), or correct ${settingsOf(redis)}.`;
    case 'name':
      return `Correct ${settingsOf(redis)}, or mend the name's entry in DNS.`;
    case 'credentials':
      return 'Redis runs and refuses the log-in: correct REDIS_PASSWORD and REDIS_USERNAME (Redis: requirepass, ACL LIST).';
    case 'permission':
      return 'Redis runs: give its user the commands and keys of the line "ACL SETUSER" in ecosystem.md.';
    case 'certificate':
      return 'Redis runs: name the authority of its certificate in REDIS_TLS_CA_PATH, or have it present one for this name.';
    case 'other':
      return `Look whether Redis is well and the way to it open ("redis-cli ping"), and at ${settingsOf(redis)}, REDIS_TLS.`;
  }
}

function settingsOf({ clusterNodes, sentinels }: Config['redis']): string {
  if (clusterNodes.length > 0) return 'REDIS_CLUSTER_NODES';
  return sentinels.length > 0 ? 'REDIS_SENTINELS, REDIS_SENTINEL_NAME' : 'REDIS_HOST, REDIS_PORT';
}

async function serverFindings(queue: OperatorQueue): Promise<Finding[]> {
  let info: string;
  try {
    info = String(await queue.ask('INFO'));
  } catch (error) {
    return [
      warn(
        'redis version',
        `not known, and whether the queue can be evicted neither: INFO is refused (${reasonOf(error)})`,
        'Let REDIS_USERNAME call INFO, or look yourself: version 5.0 or newer, maxmemory-policy noeviction.',
      ),
    ];
  }
  const value = (name: string): string => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1] ?? '';
  return [
    versionFinding(value('(?:valkey|redis)_version')),
    policyFinding(value('maxmemory_policy')),
    memoryFinding(Number(value('used_memory')), Number(value('maxmemory'))),
    ...(value('role') === 'slave'
      ? [
          fail(
            'redis role',
            'this is a replica, which takes no writes',
            'Name the primary in REDIS_HOST, or set REDIS_SENTINELS.',
          ),
        ]
      : []),
    value('aof_enabled') === '1'
      ? ok('redis persistence', 'the append-only file is on')
      : warn(
          'redis persistence',
          'the append-only file is off: a crash of Redis loses what came since its last snapshot',
          'Set "appendonly yes" in redis.conf.',
        ),
  ];
}

function versionFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (version === '') return warn('redis version', 'unknown', 'Version 6.2 or newer is best.');
  if (major < 5) return fail('redis version', version, 'Install version 5.0 or newer; 6.2 is best.');
  if (major < 6 || (major === 6 && minor < 2)) return ok('redis version', `${version} (works; 6.2 and newer are best)`);
  return ok('redis version', version);
}

function policyFinding(policy: string): Finding {
  if (policy === 'noeviction') return ok('redis eviction', 'noeviction: the queue cannot be evicted');
  if (policy === '') {
    return warn(
      'redis eviction',
      'Redis does not tell its maxmemory-policy',
      'Look where it is configured: it must be noeviction.',
    );
  }
  return fail(
    'redis eviction',
    `maxmemory-policy is ${policy}: when memory is short Redis may delete the whole queue`,
    'Set "maxmemory-policy noeviction" in redis.conf, and now: redis-cli config set maxmemory-policy noeviction',
  );
}

function memoryFinding(used: number, most: number): Finding {
  if (!most || used < most * FULL) return ok('redis memory', `${Math.round(used / 1_048_576)} MiB used`);
  return warn(
    'redis memory',
    `${Math.round((used / most) * 100)} % of maxmemory is used`,
    'Raise maxmemory, or look for what fills it; producers are refused when it is full.',
  );
}

async function clockOf(queue: OperatorQueue, clock: Clock): Promise<Finding> {
  const before = clock.wallNow();
  const [seconds, micros] = ((await queue.ask('TIME')) as Buffer[]).map(Number) as [number, number];
  const after = clock.wallNow();
  return clockFinding('redis clock', seconds * 1_000 + micros / 1_000 - (before + after) / 2, (after - before) / 2);
}
