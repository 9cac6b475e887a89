/**
 * Requests that need SUPERVISOR_ADMIN_TOKEN. The token is asked for when it is needed, goes into the Authorization header
 * and nowhere else, and stays in this tab's sessionStorage.
 */
import { byId, setText } from './elements.js';

/** The answer of the supervisor was no; its sentence is the message. */
export class RefusedError extends Error {}

/** The token was asked for and not given. */
export class CancelledError extends Error {}

const STORED_AS = 'message-broker-worker-token';
const WRONG = 'The supervisor does not take this token. It is the value of SUPERVISOR_ADMIN_TOKEN on its host.';

/**
 * The JSON answer; asks for the token as often as it is wrong.
 *
 * @throws RefusedError, CancelledError
 */
export async function adminRequest<T>(path: string, body?: object): Promise<T> {
  let wrong = '';
  for (;;) {
    const token = (wrong === '' && sessionStorage.getItem(STORED_AS)) || (await askToken(wrong));
    const response = await request(path, { authorization: `Bearer ${token}` }, body);
    if (response.status === 401) {
      sessionStorage.removeItem(STORED_AS);
      wrong = WRONG;
      continue;
    }
    sessionStorage.setItem(STORED_AS, token);
    return answerOf<T>(response);
  }
}

/** Without a token. @throws RefusedError */
export async function openRequest<T>(path: string): Promise<T> {
  return answerOf<T>(await request(path, {}));
}

async function request(path: string, headers: Record<string, string>, body?: object): Promise<Response> {
  try {
    return await fetch(path, {
      headers: { accept: 'application/json', ...headers },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
  } catch {
    throw new RefusedError('The supervisor cannot be reached.');
  }
}

async function answerOf<T>(response: Response): Promise<T> {
  const answer = (await response.json().catch(() => ({}))) as T & { readonly error?: string };
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
