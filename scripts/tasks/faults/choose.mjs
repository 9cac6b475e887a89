// Which rows are played: those that were asked for, and whose programs can be had.
import { StepError } from '../install.mjs';

/** In CI nothing may be left out: what cannot be played has failed. */
const inCi = /^(1|true)$/i.test(process.env.CI ?? '');
const ASK_AGAIN_MS = 5_000;

/** `wanted`: 6b is one row, 17 is 17a, 17b, ... too; none = all but the long ones. */
export function choose({ rows, longRows }, wanted) {
  const isMeant = (id) => (word) => word === id || word === id.replace(/[a-z]+$/, '');
  const all = [...rows, ...longRows];
  const unknown = wanted.filter((word) => !all.some(({ id }) => isMeant(id)(word)));
  if (unknown.length > 0) throw new StepError(`There is no row ${unknown.join(' ')}`, '');
  return wanted.length === 0 ? rows : all.filter(({ id }) => wanted.some(isMeant(id)));
}

/**
 * Gets what the rows need beyond Node before the first is played. Rows whose program cannot be had are left out, visibly;
 * without Redis, and in CI, that is an error.
 */
export async function playable(rows, { findProgram, findRedis, ProgramMissingError }) {
  const announce = (text) => console.log(`${text} …`);
  const isMissing = (error) => error instanceof ProgramMissingError;
  const problem = await problemOf(() => findRedis({ announce }), isMissing);
  if (problem) throw new StepError(problem, '');
  const missing = [];
  for (const program of new Set(rows.flatMap(({ needs = [] }) => needs))) {
    const text = await problemOf(() => findProgram(program, { announce }), isMissing);
    if (text && inCi) throw new StepError(text, '');
    if (text) console.log(`Left out: ${text}`);
    if (text) missing.push(program);
  }
  const isLeftOut = ({ needs = [] }) => needs.some((program) => missing.includes(program));
  for (const { id, fault } of rows.filter(isLeftOut)) console.log(`${id.padEnd(4)} SKIPPED  ${fault}`);
  return rows.filter((row) => !isLeftOut(row));
}

/** Why the program cannot be had; undefined when it is there. A mirror that is out for a moment is asked once more. */
async function problemOf(find, isMissing) {
  for (let attempt = 1; ; attempt++) {
    try {
      await find();
      return undefined;
    } catch (error) {
      if (!isMissing(error)) throw error;
      if (error.cause === undefined) return error.message;
      if (attempt === 2) return `${error.message} (${error.cause.message})`;
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
    }
  }
}
