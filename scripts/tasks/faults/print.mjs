// What the run says: a line for each row when it is done, and the table at the end.
/** Of one row: where a promise is broken for one message, it mostly is for many. */
const MOST_PROBLEMS = 10;
const COLUMNS = ['row', 'fault', 'produced', 'delivered', 'lost', 'dup', 'recovery', 'bound', 'verdict'];
const NUMBERS = new Set(['produced', 'delivered', 'lost', 'dup', 'recovery']);

export function printRow({ id, fault }, { problems, tail }, tookMs) {
  const verdict = problems.length === 0 ? 'ok' : 'FAILED';
  console.log(`${id.padEnd(4)} ${verdict} ${(tookMs / 1_000).toFixed(1)} s  ${fault}`);
  for (const problem of problems.slice(0, MOST_PROBLEMS)) console.log(`       ${problem}`);
  if (problems.length > MOST_PROBLEMS) console.log(`       and ${problems.length - MOST_PROBLEMS} more`);
  for (const line of tail) console.log(`       | ${line}`);
}

export function printTable(results) {
  const table = [COLUMNS, ...results.map(cells)];
  const widths = COLUMNS.map((_, column) => Math.max(...table.map((line) => line[column].length)));
  console.log('');
  for (const line of table) {
    const padded = line.map((cell, column) =>
      NUMBERS.has(COLUMNS[column]) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]),
    );
    console.log(padded.join('  ').trimEnd());
  }
}

function cells({ id, fault, bound, produced, delivered, lost, duplicates, recoveryMs, note, problems }) {
  const time = typeof recoveryMs === 'number' ? `${(recoveryMs / 1_000).toFixed(2)} s` : '-';
  const numbers = [produced, delivered, lost, duplicates].map((number) => String(number ?? '-'));
  const verdict = problems.length === 0 ? 'passed' : 'FAILED';
  return [id, fault, ...numbers, time, bound, note ? `${verdict} (${note})` : verdict];
}
