/** Debian's Chromium, headless, and pages that notice what must not happen in them. */
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import type { ProgramRequest } from '../../../scripts/local/find-program.js';
import { HANGS_MS } from '../../support/wait-for.js';

export const CHROMIUM: ProgramRequest = {
  names: ['chromium', 'chromium-browser', 'google-chrome'],
  debianPackage: 'chromium',
  otherwise: {
    linux: 'Install Chromium with your package manager.',
    darwin: 'Install Chromium with "brew install chromium" and put it on the PATH.',
    win32: 'Install Chromium and put its folder on the PATH.',
  },
};

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-quic',
  '--no-first-run',
  '--disable-component-update',
  '--disable-sync',
];

export interface WatchedPage {
  readonly page: Page;
  /** Errors of the console and of scripts, violations of the policy, requests to other origins. */
  readonly wrong: string[];
  text(testid: string): Promise<string>;
  close(): Promise<void>;
}

/** With a fresh profile in the system's temporary folder, removed when it is closed. */
export function startBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, headless: true, args: FLAGS });
}

export async function openPage(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(HANGS_MS);
  const wrong: string[] = [];
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      console.error(`policy: ${violatedDirective} ${blockedURI}`),
    );
  });
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') wrong.push(message.text());
  });
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('dialog', (dialog) => {
    wrong.push(`a dialog of a script: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== origin) wrong.push(`a request to ${request.url()}`);
  });
  await page.goto(`${origin}/`);
  return {
    page,
    wrong,
    text: (testid) => page.getByTestId(testid).innerText(),
    close: () => context.close(),
  };
}
