#!/usr/bin/env node
/** SIGUSR1 opens Node's debugger, a door to the process for every user of the host, unless somebody listens to it (as src/main.ts). */
process.on('SIGUSR1', () => undefined);

// in steps, as src/main.ts: in one the commands alone open more than 60 files at once
await import('../src/shared/config/load.js');
await import('./commands/kit/options/config-options.js');
await import('../src/queue/connection/connection.js');
await import('../src/queue/dead-letters/dead-letters.js');
await import('../src/queue/messages/messages.js');
await import('../src/queue/operator-queue.js');
await import('./commands/kit/options/supervisor-options.js');
await import('./commands/kit/options/filter-options.js');
await import('./commands/kit/options/queue-options.js');
await import('./commands/dead.js');
await import('./commands/message.js');
await import('./commands/pause.js');
await import('./commands/check.js');
const { runProgram } = await import('./program.js');

/** A reader that has gone (`| head`) is no reason to stop, and its EPIPE none to crash. */
const ignoreGoneReader = (): void => undefined;
process.stdout.on('error', ignoreGoneReader);
process.stderr.on('error', ignoreGoneReader);

process.exitCode = await runProgram(process.argv.slice(2), {
  env: process.env,
  cwd: process.cwd(),
  print: (line) => process.stdout.write(`${line}\n`),
  printError: (line) => process.stderr.write(`${line}\n`),
});

// Everything is closed by now. Output to a pipe is still on its way: exit only behind it.
await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
process.exit();

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((done) => {
    if (stream.destroyed) done();
    else stream.write('', () => done());
  });
}
