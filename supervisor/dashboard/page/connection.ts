/**
 * The page's end of `GET /events`. EventSource gives up for good when the answer is an error and waits as it likes
 * otherwise, so a broken connection is made anew here: after 1 s, then 2, 4 and every 5 s. Silence breaks it too: the
 * supervisor sends each second, and a host that vanished never closes a connection.
 */
import { addressOf, ROUTES, type Events } from '../../admin/protocol.js';

interface ConnectionListener {
  onStatus(event: Events['status']): void;
  /** `fresh` = the first of a connection: it holds all that is kept. */
  onSamples(event: Events['samples'], fresh: boolean): void;
  onLost(): void;
}

const SILENCE_MS = 6_000;
const LONGEST_PAUSE_MS = 5_000;

export function connect(listener: ConnectionListener): void {
  let failures = 0;

  function open(): void {
    const source = new EventSource(addressOf(ROUTES.events).url);
    let fresh = true;
    let silence = setTimeout(lose, SILENCE_MS);

    function alive(): void {
      failures = 0;
      clearTimeout(silence);
      silence = setTimeout(lose, SILENCE_MS);
    }

    function lose(): void {
      clearTimeout(silence);
      source.close();
      failures += 1;
      listener.onLost();
      setTimeout(open, Math.min(1_000 * 2 ** (failures - 1), LONGEST_PAUSE_MS));
    }

    function on<Name extends keyof Events>(name: Name, take: (event: Events[Name]) => void): void {
      source.addEventListener(name, ({ data }: MessageEvent<string>) => {
        alive();
        take(JSON.parse(data) as Events[Name]);
      });
    }

    on('status', (event) => listener.onStatus(event));
    on('samples', (event) => {
      listener.onSamples(event, fresh);
      fresh = false;
    });
    source.addEventListener('error', lose);
  }

  open();
}
