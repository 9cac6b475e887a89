/**
 * The lines of a PEM file as OpenSSL reads them: a marker counts only where it is a whole line. What follows one that is
 * not, as where two files were joined without a line break between them, is left out without a word.
 */
const MARKER = /-----(?:BEGIN|END) [A-Z0-9 ]+-----/;
const WHOLE_LINE = /^-----(?:BEGIN|END) [A-Z0-9 ]+-----\s*$/;

/** The number of the first line, from 1 on, that holds a marker and something else; undefined when there is none. */
export function spoiledLineIn(pem: string): number | undefined {
  const index = pem.split('\n').findIndex((line) => MARKER.test(line) && !WHOLE_LINE.test(line));
  return index < 0 ? undefined : index + 1;
}

/** To follow the name of the file. */
export function spoiledLine(number: number): string {
  return `line ${number} holds a "-----BEGIN" or "-----END" marker beside something else, and it must be a line of its own; where files were joined, put a line break between them`;
}
