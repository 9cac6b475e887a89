/** A server that asks for more is asked again after this. */
const LONGEST_MS = 600_000;

/**
 * How long the server asks not to be asked again, in ms, at most 10 min; undefined = it says nothing that can be read.
 *
 * RFC 9110, 10.2.3: whole seconds, or an HTTP date. A date is compared with the `Date` of the same answer, and with our
 * own clock only where there is none: the two hosts need not agree on the time.
 */
export function retryAfterMs(value: string, date: string | undefined, wallNowMs: number): number | undefined {
  const text = value.trim();
  if (/^\d{1,10}$/.test(text)) return Math.min(Number(text) * 1000, LONGEST_MS);
  const at = HTTP_DATE.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(at)) return undefined;
  const said = date === undefined ? NaN : Date.parse(date);
  return Math.min(Math.max(0, at - (Number.isNaN(said) ? wallNowMs : said)), LONGEST_MS);
}

/** Date.parse takes much more: "2", or "in 5". All three forms of RFC 9110 begin with the day's name. */
const HTTP_DATE = /^(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?,? /;
