/** How files that operators write come to be: by which editor, with which mode, with which slips of the pen. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig, type LoadedConfig } from '../../../../../src/shared/config/load.js';
import { ConfigError } from '../../../../../src/shared/errors.js';
import { load, problemsOf, workspace } from './workspace.js';

const BOM = '\uFEFF';
const utf16 = (text: string): Buffer => Buffer.from(BOM + text, 'utf16le');

function loadFiles(files: Readonly<Record<string, Buffer | string>>, mode = 0o600): LoadedConfig {
  const cwd = workspace();
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(cwd, name), content);
    chmodSync(join(cwd, name), mode);
  }
  return loadConfig({ flags: {}, env: {}, cwd });
}

describe('UTF-16, as PowerShell’s > writes it', () => {
  const text = '# sièben\r\nWORKER_COUNT=7\r\n';
  test.each([
    ['little-endian', utf16(text)],
    ['big-endian', utf16(text).swap16()],
  ])('.env is read (%s)', (_, content) => {
    expect(loadFiles({ '.env': content }).config.worker.count).toBe(7);
  });

  test('config.yaml is read, and the file of a secret', () => {
    const { config } = loadFiles({
      'config.yaml': utf16('redis:\n  password_file: secret\n'),
      secret: utf16('hunter2\r\n'),
    });
    expect(config.redis.password).toBe('hunter2');
  });

  test('without its mark it is refused with the cure', () => {
    const naked = Buffer.from(text, 'utf16le');
    expect(() => loadFiles({ '.env': naked })).toThrow(ConfigError);
    expect(() => loadFiles({ '.env': naked })).toThrow(/\.env cannot be read \(.*save it as UTF-8\)/);
    expect(() => loadFiles({ 'config.yaml': naked })).toThrow(/save it as UTF-8/);
  });
});

describe('slips of the pen in names', () => {
  test.each([
    ['WORKER_CONUT', 'WORKER_COUNT'],
    ['REDIS_HOSTS', 'REDIS_HOST'],
    ['REDIS_PASWORD_FILE', 'REDIS_PASSWORD_FILE'],
    ['LOG_LEVL', 'LOG_LEVEL'],
  ])('%s: did you mean %s?', (written, meant) => {
    const sentence = `${written} (.env) is no setting and has no effect; did you mean ${meant}?`;
    expect(load({ files: { '.env': `${written}=3\n` } }).warnings).toContain(sentence);
    expect(load({ env: { [written]: '3' } }).warnings.join()).toContain(`did you mean ${meant}?`);
  });

  test('what belongs to others is not spoken of', () => {
    const env = {
      MAIN_SERVER_HOST: 'x',
      MAIN_SERVER_PORT: '8000',
      REDIS_PORT_6379_TCP: 'x',
      DATABASE_URL: 'x',
      PATH: '/bin',
    };
    expect(load({ env, files: { '.env': 'PROXY_PORT=1\nREDIS_URL=redis://a\n' } }).warnings).toEqual(load({}).warnings);
    expect(problemsOf({ env })).toEqual([]);
  });
});

describe.runIf(process.platform !== 'win32')('a file with secrets that every user of the host can read', () => {
  const secret = 'REDIS_PASSWORD=hunter2\n';
  const yaml = 'supervisor:\n  admin_token: 0123456789abcdef\n';

  test('is a warning that names file, settings and the cure, and not the secret', () => {
    const [warning = ''] = loadFiles({ '.env': secret }, 0o644).warnings;
    expect(warning).toMatch(
      /^\.env holds REDIS_PASSWORD and can be read by .*\(mode 0644\); run: chmod o-rwx .*\.env$/,
    );
    expect(warning).not.toContain('hunter2');
    expect(loadFiles({ 'config.yaml': yaml }, 0o604).warnings.join()).toMatch(
      /config\.yaml holds supervisor\.admin_token/,
    );
  });

  test('is none where only owner and group can read it, or where no secret stands', () => {
    for (const warnings of [
      loadFiles({ '.env': secret }, 0o640).warnings,
      loadFiles({ '.env': 'REDIS_HOST=a\n' }, 0o644).warnings,
      loadFiles({ 'config.yaml': 'redis:\n  password: ${REDIS_PASSWORD}\n' }, 0o644).warnings,
    ]) {
      expect(warnings.join()).not.toMatch(/every user/);
    }
  });
});
