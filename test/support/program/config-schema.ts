import type { ScalarSchema } from '../../../src/shared/config/formats/format.js';
import { LOG_FILE, WITHOUT_MEANING } from '../../../src/shared/config/settings/python-keys.js';
import { secretFilePath, type Setting } from '../../../src/shared/config/settings/setting.js';
import { SETTINGS } from '../../../src/shared/config/settings/settings.js';

type Schema = Record<string, unknown>;

/** A variable of the environment may stand anywhere, and a key without a value is not set. */
const UNSET_OR_VARIABLE: Schema = { anyOf: [{ type: 'null' }, { const: '' }, { type: 'string', pattern: '\\$' }] };

/** config/config.schema.json: JSON Schema of config.yaml for editors, as the settings make it. */
export function configSchema(): string {
  const root = section();
  for (const setting of SETTINGS) {
    put(root, setting.path, settingSchema(setting));
    if (setting.secret === true)
      put(root, secretFilePath(setting), { description: `The file that holds it. ${setting.prose}.`, type: 'string' });
  }
  put(root, LOG_FILE, {
    description: 'Directory and name of the log file in one, as the Python worker has it.',
    type: 'string',
  });
  for (const path of Object.keys(WITHOUT_MEANING)) {
    put(root, path, { description: 'Of the Python worker; without meaning here.', deprecated: true });
  }
  const head = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'config.yaml of Message Broker Worker',
    description: 'Made from the table of settings; docs/settings.md has the same in words.',
  };
  const $defs = { unset_or_variable: UNSET_OR_VARIABLE };
  return `${JSON.stringify({ ...head, ...root, $defs }, undefined, 2)}\n`;
}

function settingSchema({ path, format, prose, unit, default: text, secret }: Setting): Schema {
  const ways: readonly (ScalarSchema | Schema)[] = format.schema.anyOf ?? [format.schema];
  const isList = Array.isArray(format.empty);
  return {
    title: path,
    description: `${prose}${unit === undefined ? '' : ` (${unit})`}. It must be ${format.expects}.`,
    ...(text === '' || secret === true ? {} : { default: text }),
    anyOf: [
      ...ways,
      ...(isList ? [{ type: 'array', items: format.schema }] : []),
      { $ref: '#/$defs/unset_or_variable' },
    ],
  };
}

function section(): Schema {
  return { type: 'object', additionalProperties: false, properties: {} };
}

/** At a path with dots; sections on the way are made. */
function put(root: Schema, path: string, schema: Schema): void {
  const names = path.split('.');
  const last = names.pop() ?? '';
  let place = root;
  for (const name of names) place = (propertiesOf(place)[name] ??= section()) as Schema;
  propertiesOf(place)[last] = schema;
}

function propertiesOf(place: Schema): Schema {
  return place['properties'] as Schema;
}
