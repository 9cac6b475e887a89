/** Stands between a page and its supervisor: passes everything on, and changes what the events say. */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { StatusEvent } from '../../../supervisor/status/status-events.js';
import type { StatusDocument } from '../../../supervisor/status/status-document.js';

export type ChangeEvent = (event: StatusEvent) => object;

export interface ChangedEvents {
  readonly origin: string;
  close(): Promise<void>;
}

export async function changedEvents(origin: string, change: ChangeEvent): Promise<ChangedEvents> {
  const server = createServer((asked, answer) => {
    const { method, headers, url = '/' } = asked;
    const options = { method, headers: { ...headers, host: new URL(origin).host } };
    const passed = request(`${origin}${url}`, options, (answered) => {
      answer.writeHead(answered.statusCode ?? 502, answered.headers);
      if (url !== '/events') return void answered.pipe(answer);
      let rest = '';
      answered.setEncoding('utf8');
      answered.on('data', (chunk: string) => {
        const events = (rest + chunk).split('\n\n');
        rest = events.pop() ?? '';
        for (const event of events) answer.write(`${changedText(event, change)}\n\n`);
      });
      answered.once('close', () => answer.destroy());
    });
    passed.once('error', () => answer.destroy());
    answer.once('close', () => passed.destroy());
    asked.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** As if there were as many workers, each like one of those that are there. */
export function withWorkers(count: number): ChangeEvent {
  return (event) => {
    const { supervisor, workers } = event.status;
    const all = Array.from({ length: workers.length === 0 ? 0 : count }, (_, at) => ({
      ...(workers[at % workers.length] as StatusDocument['workers'][number]),
      id: `worker-${at + 1}`,
    }));
    return {
      ...event,
      status: { ...event.status, workers: all, supervisor: { ...supervisor, workers_wanted: count } },
    };
  };
}

function changedText(event: string, change: ChangeEvent): string {
  const [, name = '', data = ''] = /^event: (\w+)\ndata: (.*)$/s.exec(event) ?? [];
  return name === 'status' ? `event: status\ndata: ${JSON.stringify(change(JSON.parse(data) as StatusEvent))}` : event;
}
