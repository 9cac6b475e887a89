/** What is kept of failed attempts at most. A message takes about 600 bytes, with long answers 2 KB. */
export const MOST_ENTRIES = 100_000;
export const MOST_BYTES = 67_108_864;
