/** Why Redis cannot be used, in an operator's words. Pure. */
import type { Config } from '../../shared/config/config.js';
import { reasonOf, RedisUnavailableError } from '../../shared/errors.js';
import { isReply, replyCode } from './reply.js';

type Redis = Config['redis'];

const UNKNOWN_AUTHORITY: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** The address an operator knows, for messages. */
export function address(redis: Redis): string {
  if (redis.clusterNodes.length > 0) return redis.clusterNodes.map((n) => `${n.host}:${n.port}`).join(',');
  if (redis.sentinels.length > 0) {
    return `${redis.sentinelName} (sentinels ${redis.sentinels.map((n) => `${n.host}:${n.port}`).join(',')})`;
  }
  return `${redis.host}:${redis.port}`;
}

/** What a failed attempt to connect said. */
export function plainProblem(error: Error & { readonly code?: string }, redis: Redis): string {
  const { code = '', message } = error;
  if (isReply(error)) return refusal(error);
  if (code === 'ECONNREFUSED') return `Connection refused (is Redis running there? see ${settingOf(redis)})`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `the host name is unknown (see ${hostSettingOf(redis)})`;
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `${message}${nameAdvice(redis)}`;
  if (UNKNOWN_AUTHORITY.has(code)) {
    return `its certificate is of an authority that is not believed: ${message} (see REDIS_TLS_CA_PATH)`;
  }
  return message;
}

/** What ended a command whose answer had not come; the client speaks of retries of its own. */
export function lostProblem(error: unknown): string {
  const text = reasonOf(error);
  return /max retries per request|connection is closed|connection close/i.test(text) ? 'the connection was lost' : text;
}

/** nobody: nothing listens there. name: it leads nowhere. credentials, permission: Redis answers, and refuses us. */
type ProblemKind = 'nobody' | 'name' | 'credentials' | 'permission' | 'certificate' | 'other';

/** Of what ended an attempt to connect, or of an error with it as its cause. */
export function problemKind(error: unknown): ProblemKind {
  if (error instanceof RedisUnavailableError) return problemKind(error.cause);
  const code = isReply(error) ? replyCode(error) : (error as { readonly code?: unknown } | undefined)?.code;
  if (code === 'ECONNREFUSED') return 'nobody';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'name';
  if (code === 'WRONGPASS' || code === 'NOAUTH') return 'credentials';
  if (code === 'NOPERM') return 'permission';
  const isOfTls = code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'CERT_HAS_EXPIRED';
  return isOfTls || UNKNOWN_AUTHORITY.has(String(code)) ? 'certificate' : 'other';
}

function refusal(reply: Error): string {
  const code = replyCode(reply);
  if (code === 'WRONGPASS' || code === 'NOAUTH') return 'the password is refused (see REDIS_PASSWORD, REDIS_USERNAME)';
  if (code === 'NOPERM') return `the user lacks a permission (see REDIS_USERNAME): ${reply.message}`;
  return reply.message;
}

function settingOf(redis: Redis): string {
  return hostSettingOf(redis) === 'REDIS_HOST' ? 'REDIS_HOST, REDIS_PORT' : hostSettingOf(redis);
}

function hostSettingOf({ clusterNodes, sentinels }: Redis): string {
  if (clusterNodes.length > 0) return 'REDIS_CLUSTER_NODES';
  return sentinels.length > 0 ? 'REDIS_SENTINELS' : 'REDIS_HOST';
}

/** Certificates mostly name hosts, and nodes are announced by address unless they are told otherwise. */
function nameAdvice({ clusterNodes, sentinels }: Redis): string {
  if (clusterNodes.length > 0) {
    return ' (the nodes must announce the names in their certificates: cluster-announce-hostname, and cluster-preferred-endpoint-type hostname)';
  }
  if (sentinels.length > 0) {
    return ' (the Sentinels must tell the names in the certificates: sentinel resolve-hostnames yes, sentinel announce-hostnames yes)';
  }
  return '';
}
