/**
 * Asks the supervisor. What needs SUPERVISOR_ADMIN_TOKEN is the protocol's to say; the token is asked for then, goes into
 * the Authorization header and nowhere else, and stays in this tab's sessionStorage.
 */
import { byId, setText } from './elements.js';
import {
  accessOf,
  addressOf,
  ROUTES,
  type Address,
  type Answers,
  type Asked,
  type ErrorAnswer,
} from '../../admin/protocol.js';

/** The answer of the supervisor was no; its sentence is the message. */
export class RefusedError extends Error {}

/** The token was asked for and not given. */
export class CancelledError extends Error {}

const STORED_AS = 'message-broker-worker-token';
const WRONG = 'The supervisor does not take this token. It is the value of SUPERVISOR_ADMIN_TOKEN on its host.';

/** @throws RefusedError, CancelledError */
export async function ask<Name extends keyof Answers>(name: Name, ...[fields]: Asked<Name>): Promise<Answers[Name]> {
  const { method } = ROUTES[name];
  const address = addressOf(ROUTES[name], fields);
  const send = (headers: Record<string, string>) => request(method, address, headers);
  return answerOf(await (accessOf(ROUTES[name], fields) === 'open' ? send({}) : withToken(send)));
}

/** Asks for the token as often as it is wrong. */
async function withToken(send: (headers: Record<string, string>) => Promise<Response>): Promise<Response> {
  let wrong = '';
  for (;;) {
    const token = (wrong === '' && sessionStorage.getItem(STORED_AS)) || (await askToken(wrong));
    const response = await send({ authorization: `Bearer ${token}` });
    if (response.status === 401) {
      sessionStorage.removeItem(STORED_AS);
      wrong = WRONG;
      continue;
    }
    sessionStorage.setItem(STORED_AS, token);
    return response;
  }
}

async function request(method: string, { url, body }: Address, headers: Record<string, string>): Promise<Response> {
  try {
    return await fetch(url, {
      method,
      headers: { accept: 'application/json', ...headers },
      ...(method === 'POST' ? { body: JSON.stringify(body) } : {}),
    });
  } catch {
    throw new RefusedError('The supervisor cannot be reached.');
  }
}

async function answerOf<T>(response: Response): Promise<T> {
  const answer = (await response.json().catch(() => ({}))) as T & Partial<ErrorAnswer>;
  if (response.ok) return answer;
  throw new RefusedError(answer.error ?? `The supervisor answered ${response.status}.`);
}

/** Rejects with CancelledError when the dialog is closed. */
function askToken(wrong: string): Promise<string> {
  const dialog = byId<HTMLDialogElement>('unlock');
  const form = byId<HTMLFormElement>('unlock-form');
  const input = byId<HTMLInputElement>('token');
  input.value = '';
  dialog.showModal();
  // after it is shown: an alert that was there before is not read out
  setText(byId('unlock-wrong'), wrong);
  input.focus();
  return new Promise((resolve, reject) => {
    let given = '';
    form.onsubmit = (event) => {
      event.preventDefault();
      given = input.value.trim();
      if (given !== '') dialog.close();
    };
    dialog.onclose = () => {
      input.value = '';
      if (given === '') reject(new CancelledError());
      else resolve(given);
    };
  });
}
