import { countsOf, type FleetSight, type WatchedMember } from '../../../src/domain/fleet/fleet-watch.js';
import { isoOf } from '../../../src/shared/words/paused.js';
import { SCHEMA_VERSION } from '../protocol.js';
import type { FleetDocument, FleetMemberDocument } from '../shapes/fleet.js';

export function fleetDocument(sight: FleetSight, queue: string): FleetDocument {
  return {
    schema_version: SCHEMA_VERSION,
    queue,
    at: isoOf(sight.redisNow),
    ...countsOf(sight),
    members: sight.members.map((member) => memberDocument(member, sight.redisNow)),
  };
}

function memberDocument(member: WatchedMember, now: number): FleetMemberDocument {
  const { standing, silentMs, uptimeSeconds } = member;
  // by the clock of Redis as it is now, whatever it was when the word was said
  const lastSeenAt = now - silentMs;
  return {
    host: member.host,
    instance: member.instance,
    kind: member.kind,
    state: standing === 'vanished' ? 'vanished' : member.state,
    ready: standing === 'alive' && member.isReady,
    reason: member.reason ?? null,
    pid: member.pid,
    version: member.version,
    workers_ready: member.workersReady,
    workers_wanted: member.workersWanted,
    delivered_per_second: member.deliveredPerSecond,
    failed_per_second: member.failedPerSecond,
    started_at: isoOf(Math.round((lastSeenAt - uptimeSeconds * 1_000) / 1_000) * 1_000),
    last_seen_at: isoOf(lastSeenAt),
    silent_seconds: Math.floor(silentMs / 1_000),
  };
}
