/** What a new connection speaks to, asked before anything else is. */
import { isReply, replyCode } from './reply.js';

export interface Server {
  /** Changes with every start of a server, and is another one on another server; empty when it does not tell. */
  readonly runId: string;
  /** Of what it says of itself: a replica takes no writes. */
  readonly role: 'master' | 'replica' | 'unknown';
  /** Still reading its file: it refuses commands. */
  readonly isLoading: boolean;
}

/** One command to the server. Rejects with its error reply, or with what ended the connection. */
type Ask = (command: string, ...args: string[]) => Promise<unknown>;

/** Rejects with NOAUTH when Redis wants a password and got none, and with what ended the connection. */
export async function examine(ask: Ask): Promise<Server> {
  const info = await unlessRefused(ask('INFO'));
  return info === undefined ? withoutInfo(ask) : serverIn((info as Buffer).toString());
}

function serverIn(info: string): Server {
  const role = fieldIn(info, 'role');
  return {
    runId: fieldIn(info, 'run_id') ?? '',
    role: role === 'master' ? 'master' : role === 'slave' ? 'replica' : 'unknown',
    isLoading: (fieldIn(info, 'loading') ?? '0') !== '0',
  };
}

/** Of the text that INFO answers. */
export function fieldIn(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:([^\\s]+)`, 'm').exec(info)?.[1];
}

/** INFO is renamed, or this user may not call it. */
async function withoutInfo(ask: Ask): Promise<Server> {
  const isLoading = await ask('PING').then(
    () => false,
    (error: unknown) => {
      if (!isReply(error)) throw error;
      return replyCode(error) === 'LOADING';
    },
  );
  const role = await unlessRefused(ask('ROLE'));
  const word = Array.isArray(role) ? String(role[0]) : '';
  return { runId: '', role: word === 'master' ? 'master' : word === 'slave' ? 'replica' : 'unknown', isLoading };
}

async function unlessRefused(asked: Promise<unknown>): Promise<unknown> {
  try {
    return await asked;
  } catch (error) {
    if (!isReply(error) || replyCode(error) === 'NOAUTH') throw error;
    return undefined;
  }
}
