// Which Node a range such as "^20.19.0 || >=24" allows, as npm reads it. There are no packages yet where this is asked.

/** @param {string} range @param {string} version three numbers with dots */
export function allows(range, version) {
  const have = numbersOf(version);
  return range.split('||').some((part) => {
    const comparators = part.trim().replace(/([<>=^~]) +/g, '$1');
    return comparators.split(/\s+/).every((comparator) => matches(comparator, have));
  });
}

function matches(comparator, have) {
  const [, operator, text] = /^([<>=^~]*)v?(.*)$/.exec(comparator);
  const given = text.split('.').filter((number) => /^\d+$/.test(number)).length;
  if (given === 0) return true;
  const wanted = numbersOf(text);
  const order = compare(have, wanted);
  if (operator === '>=') return order >= 0;
  if (operator === '>') return order > 0;
  if (operator === '<') return order < 0;
  if (operator === '<=') return order <= 0;
  // the numbers before this place must be the same
  const fixed = operator === '^' ? 1 : operator === '~' ? Math.min(2, given) : given;
  return order >= 0 && have.slice(0, fixed).every((number, place) => number === wanted[place]);
}

/** A number that is left out, or an x, counts as 0. */
function numbersOf(version) {
  const numbers = version.split('.').map((number) => Number.parseInt(number, 10) || 0);
  return [0, 1, 2].map((place) => numbers[place] ?? 0);
}

function compare(one, other) {
  const place = one.findIndex((number, at) => number !== other[at]);
  return place < 0 ? 0 : one[place] - other[place];
}
