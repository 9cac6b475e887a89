/** The files of the page as the build made them (scripts/tasks/bundle-page.mjs), read once. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RequestError, type Answer } from '../admin/route.js';

const TYPES = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
  map: 'application/json',
} as const;

const PAGE_FOLDER = fileURLToPath(new URL('page', import.meta.url));
/** In one of the page's folders or in none; the map of the script is for debuggers. */
const FILE_NAME = /^([a-z-]+\/)?[a-z-]+(\.css|\.js|\.js\.map|\.svg)$/;

/**
 * Nothing but our own files, no script or style in the page itself, no text that becomes markup. uPlot positions its parts
 * through the DOM (`element.style.left = …`), which is no inline style to the policy.
 */
const PAGE_HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

const cache = new Map<string, Promise<string>>();

export async function pageAnswer(): Promise<Answer> {
  const body = await contentOf(join(PAGE_FOLDER, 'page.html'));
  return { status: 200, body, contentType: TYPES.html, headers: PAGE_HEADERS };
}

/** @throws RequestError 404. */
export async function assetAnswer(name: string): Promise<Answer> {
  const isFile = FILE_NAME.test(name);
  const body = isFile ? await contentOf(join(PAGE_FOLDER, name)).catch(notFound) : undefined;
  if (body === undefined) throw new RequestError(404, 'The dashboard has no such file.');
  const contentType = TYPES[name.slice(name.lastIndexOf('.') + 1) as keyof typeof TYPES];
  return { status: 200, body, contentType, headers: PAGE_HEADERS };
}

function contentOf(path: string): Promise<string> {
  const known = cache.get(path);
  if (known) return known;
  const reading = readFile(path, 'utf8');
  cache.set(path, reading);
  // asked for again, it is looked for again: the cache holds only what there is
  reading.catch(() => cache.delete(path));
  return reading;
}

function notFound(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw error;
}
