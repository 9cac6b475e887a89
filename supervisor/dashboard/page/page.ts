/** Wires the page: what comes over the connection goes to the parts that show it. */
import type { StatusEvent } from '../../status/status-events.js';
import { createCertificatesTable } from './tables/certificates-table.js';
import { apart } from './apart.js';
import { connect } from './connection.js';
import { byId, setAttribute, setText } from './elements.js';
import { Hosts } from './hosts/hosts.js';
import { Failures } from './failures/failures.js';
import { Messages } from './messages/messages.js';
import { createErrorsTable } from './tables/errors-table.js';
import { createAudit } from './controls/audit.js';
import { Controls } from './controls/controls.js';
import { Plots } from './plots/plots.js';
import { SampleBuffer } from './plots/sample-buffer.js';
import { showLost, showState } from './state-panel.js';
import { createTiles } from './tiles.js';
import { tokenExists } from './token-gate.js';
import { createWorkersTable } from './tables/workers-table.js';

const samples = new SampleBuffer();
const plots = new Plots(byId('plots'), samples);
const controls = new Controls(() => void plots.refresh());
createAudit();
const showTiles = createTiles(byId('tiles'));
const showWorkers = createWorkersTable(byId('workers-panel'));
const showErrors = createErrorsTable(byId('errors-panel'));
const showCertificates = createCertificatesTable(byId('certificates-panel'));
const hosts = new Hosts();
const messages = new Messages();
new Failures({
  list(which) {
    messages.open('retry', which);
    byId('messages-title').focus();
  },
  find: (id) => void messages.find(id),
});
let last: { readonly event: StatusEvent; readonly receivedAt: number } | undefined;

connect({
  onStatus(event) {
    const { status, at, has_token: hasToken } = event;
    last = { event, receivedAt: Date.now() };
    setText(byId('connection'), 'Live');
    setAttribute(document.body, 'data-connection', 'live');
    const { waiting, processing, retrying, dead } = status.queue;
    const draws: Readonly<Record<string, () => void>> = {
      state: () => showState(event),
      tiles: () => showTiles(status),
      plots: () => plots.statusIs(event),
      'workers-panel': () => showWorkers(status.workers),
      'control-note': () => controls.statusIs(status),
      hosts: () => hosts.countsAre(status.fleet),
      'errors-panel': () => showErrors(status.errors, at),
      'messages-list': () => messages.sizesAre({ waiting, in_flight: processing, retry: retrying, dead }),
      'certificates-panel': () => showCertificates(status.certificates, at),
    };
    tokenExists(hasToken);
    for (const [id, draw] of Object.entries(draws)) apart(id, draw);
  },
  onSamples(columns, fresh) {
    if (fresh) samples.replace(columns);
    else samples.add(columns);
    apart('plots-time', () => plots.draw());
  },
  onLost() {
    setText(byId('connection'), 'Disconnected');
    setAttribute(document.body, 'data-connection', 'lost');
    showLost(last);
  },
});

for (const button of document.querySelectorAll<HTMLButtonElement>('[data-close]')) {
  button.onclick = () => button.closest('dialog')?.close();
}
