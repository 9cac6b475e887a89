import { describe, expect, test } from 'vitest';

import {
  directoryPath,
  endpoint,
  fileName,
  filePath,
  host,
  hostPorts,
  httpUrl,
} from '../../../../../src/shared/config/formats/address-formats.js';
import { FormatError, type Format } from '../../../../../src/shared/config/formats/format.js';
import {
  anyText,
  boolean,
  integer,
  memoryLimit,
  oneOf,
  port,
  seconds,
} from '../../../../../src/shared/config/formats/scalar-formats.js';

const level = oneOf(['DEBUG', 'INFO', 'WARNING', 'ERROR'], new Map([['warn', 'WARNING']]));

interface FormatTable {
  readonly name: string;
  readonly format: Format<unknown>;
  readonly accepted: Readonly<Record<string, unknown>>;
  readonly refused: readonly string[];
}

const TABLES: readonly FormatTable[] = [
  {
    name: 'integer',
    format: integer({ min: 0, max: 100 }),
    accepted: { '0': 0, '7': 7, '100': 100, ' 42 ': 42 },
    refused: ['12abc', '0x10', '1e1', '4.0', '007', '+5', '-1', '101', '1_0', ' ', 'NaN', 'Infinity', 'true', '٣'],
  },
  {
    name: 'port',
    format: port,
    accepted: { '1': 1, '6379': 6379, '65535': 65535 },
    refused: ['0', '65536', '91x', '-1', 'tcp://10.0.0.1:6379'],
  },
  {
    name: 'seconds',
    format: seconds({ min: 0.001, max: 3600 }),
    accepted: { '30': 30_000, '0.05': 50, '1.5': 1500, '0.001': 1, '3600': 3_600_000 },
    refused: ['0', '0.0001', '30s', '30 s', '.5', '5.', '-1', '1e3', '3600.1', 'ten'],
  },
  {
    name: 'memory limit',
    format: memoryLimit,
    accepted: {
      '0': 0,
      '512': 512 * 2 ** 20,
      '512M': 512 * 2 ** 20,
      '512mb': 512 * 2 ** 20,
      '1G': 2 ** 30,
      '1GiB': 2 ** 30,
      '1.5G': 1.5 * 2 ** 30,
      '131072K': 128 * 2 ** 20,
    },
    refused: ['1', '127.9M', '512X', 'M', '-1', '1 G', '536870912', '2T', '12abc', '1GG', '1iB'],
  },
  {
    name: 'boolean',
    format: boolean,
    accepted: {
      true: true,
      TRUE: true,
      yes: true,
      On: true,
      '1': true,
      false: false,
      False: false,
      no: false,
      OFF: false,
      '0': false,
    },
    refused: ['2', 'maybe', 't', 'y', '00', ' ', 'truefalse', 'null'],
  },
  {
    name: 'log level',
    format: level,
    accepted: { INFO: 'INFO', info: 'INFO', Debug: 'DEBUG', WARN: 'WARNING', warn: 'WARNING', warning: 'WARNING' },
    refused: ['TRACE', 'INF', '20', 'constructor', '__proto__'],
  },
  {
    name: 'URL',
    format: httpUrl,
    accepted: {
      'https://localhost:8000': 'https://localhost:8000',
      'https://localhost:8000/': 'https://localhost:8000',
      'http://main_server:8000': 'http://main_server:8000',
      'HTTPS://Host.Example/base/path//': 'https://host.example/base/path',
      'https://[::1]:8000': 'https://[::1]:8000',
    },
    refused: [
      'localhost:8443',
      'https://',
      'https:///x',
      'https:/host',
      'ftp://host',
      'redis://host',
      'https://user:pw@host',
      'https://@host',
      'https://host?x=1',
      'https://host/#a',
      'https://ho st',
      'https://host:99999',
    ],
  },
  {
    name: 'host',
    format: host,
    accepted: { localhost: 'localhost', mb_redis: 'mb_redis', '10.0.0.1': '10.0.0.1', '::1': '::1', '[::1]': '::1' },
    refused: ['redis://host', 'host:6379', 'a b', 'host/1', '-host', '[host]', ' '],
  },
  {
    name: 'host:port list',
    format: hostPorts,
    accepted: {
      'a:1': [{ host: 'a', port: 1 }],
      'a:1, b:26379': [
        { host: 'a', port: 1 },
        { host: 'b', port: 26379 },
      ],
      '[::1]:7000': [{ host: '::1', port: 7000 }],
    },
    refused: ['a', 'a:', 'a:0', 'a:1,', ',a:1', 'a:1;b:2', 'a:1x', '::1:7000', 'redis://a:1'],
  },
  {
    name: 'endpoint',
    format: endpoint,
    accepted: { '/health': '/health', '/internal/messages/deliver': '/internal/messages/deliver' },
    refused: ['health', 'https://h/health', '/a?b', '/a#b', '/a b'],
  },
  {
    name: 'file',
    format: filePath,
    accepted: { 'certs/a b.crt': 'certs/a b.crt', '/x': '/x' },
    refused: [' ', 'a\0b'],
  },
  {
    name: 'directory',
    format: directoryPath,
    accepted: { 'logs/': 'logs', logs: 'logs', '/': '/', 'C:\\logs\\': 'C:\\logs', 'C:\\': 'C:\\' },
    refused: [' '],
  },
  {
    name: 'file name',
    format: fileName,
    accepted: { 'worker.log': 'worker.log' },
    refused: ['a/b', '..', '.', 'a\\b'],
  },
  { name: 'text', format: anyText, accepted: { ' p#:"$ ': ' p#:"$ ' }, refused: [] },
];

describe.each(TABLES)('$name', ({ format, accepted, refused }) => {
  test.each(Object.entries(accepted))('%j is accepted', (text, value) => {
    expect(format.parse(text)).toEqual(value);
  });

  test.each(refused.map((text) => [text]))('%j is refused', (text) => {
    expect(() => format.parse(text)).toThrow(FormatError);
  });

  test('a value is printed in a form that means the same', () => {
    for (const text of Object.keys(accepted)) {
      const value = format.parse(text);
      expect(format.parse(format.print(value))).toEqual(value);
    }
  });
});
