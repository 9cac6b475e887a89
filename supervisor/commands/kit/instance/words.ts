import { pidOf } from '../../../instances/instance.js';
import type { FoundInstance, Sight } from '../../../instances/find.js';
import { userName, userText } from '../../../instances/users.js';

/** `instance 9099 (pid 12, queue message_queue) in /srv/worker, which reads config.yaml and .env` */
export function instanceLine(instance: FoundInstance): string {
  const { port, queue, directory, config_file: config, env_file: env, owner } = instance;
  const isOthers = owner !== undefined && owner !== process.getuid?.();
  const files = [config, env].filter((file) => file !== null).map((file) => relativeTo(directory, file));
  return [
    `instance ${port} (pid ${pidOf(instance)}, queue ${queue}${isOthers ? `, of ${userText(owner)}` : ''})`,
    `in ${directory}, which reads ${files.length > 0 ? files.join(' and ') : 'no file'}`,
  ].join(' ');
}

function relativeTo(directory: string, file: string): string {
  const prefix = directory.endsWith('/') ? directory : `${directory}/`;
  return file.startsWith(prefix) ? file.slice(prefix.length) : file;
}

/** The question which one is meant. */
export function severalText(instances: readonly FoundInstance[]): string {
  const samePort = new Set(instances.map(({ port }) => port)).size < instances.length;
  const lines = instances.map((instance) =>
    choiceLine(instance, samePort ? `--directory ${instance.directory}` : `--instance ${instance.port}`),
  );
  return `${instances.length} supervisors run here; say which is meant:${lines.join('')}`;
}

/** Why the only one that runs is not simply taken. */
export function othersOnlyText(instance: FoundInstance): string {
  const line = choiceLine(instance, `--instance ${instance.port}`);
  return `The only supervisor here is another user's, who has chosen its Redis; name it if you mean it:${line}`;
}

function choiceLine(instance: FoundInstance, flag: string): string {
  return `\n  ${flag}: ${instanceLine(instance)}`;
}

/** What else was seen, as sentences that follow another; empty = nothing. */
export function othersText({ refusals, strangers }: Pick<Sight, 'refusals' | 'strangers'>): string {
  const told = strangers.map(({ uid, port }) => {
    const which = port === undefined ? 'There is one' : `There is one (SUPERVISOR_PORT ${port})`;
    const whose = `${which} of ${userText(uid)}`;
    const asUser = `sudo -u ${userName(uid) ?? `'#${uid}'`}`;
    // nothing is closed to root: that one is of an earlier version, or has left its file where only its user looks
    return process.getuid?.() === 0
      ? `${whose}, which has left no file where root looks: run this with ${asUser}, or name its --socket.`
      : `${whose}, which is not yours to use: run this as root or as that user, with ${asUser}.`;
  });
  return [...refusals, ...told].map((sentence) => ` ${sentence}`).join('');
}
