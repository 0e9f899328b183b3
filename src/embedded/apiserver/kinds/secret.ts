import type { Cause, KindDefinition, RawObject } from '../kind.ts';
import { ageCell, ageColumn, column, nameCell, nameColumn } from './columns.ts';
import { asConfig, validateFrozen } from './configmap.ts';
import { decoderOf } from './schema/decode.ts';
import { strategyOf } from './strategy.ts';
import { eachInvalid, immutableDetail, invalid, required, tooLong } from './validation/causes.ts';
import { configMapKey } from './validation/names.ts';

interface SecretObject extends RawObject {
  type?: string;
  /** Base64. */
  data?: Record<string, string>;
  stringData?: Record<string, string>;
}

const mostBytes = 1024 * 1024;
const tokenType = 'kubernetes.io/service-account-token';

/** Type -> the keys that it promises; of those of basic-auth, one is enough. */
const promisedKeys: Record<string, string[]> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};

export const secretKind: KindDefinition = {
  group: '',
  version: 'v1',
  plural: 'secrets',
  singular: 'secret',
  kind: 'Secret',
  namespaced: true,
  shortNames: [],
  categories: [],
  subresources: [],
  decode: decoderOf('V1Secret'),
  strategy: strategyOf('V1Secret', {
    setDefaults(object) {
      const secret = asSecret(object);
      secret.type ||= 'Opaque';
      const { stringData } = secret;
      delete secret.stringData;
      if (!stringData) return;
      const encoded = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
      secret.data = { ...secret.data, ...Object.fromEntries(encoded) };
    },
    validate: (object) => validateSecret(asSecret(object)),
    validateUpdate(object, before) {
      const secret = asSecret(object);
      const causes = validateSecret(secret);
      if (secret.type !== before.type) causes.push(invalid('type', secret.type, immutableDetail));
      return [...causes, ...validateFrozen(asConfig(object), asConfig(before))];
    },
    columns: [nameColumn, column('Type', 'What the data is for.'), column('Data', 'Number of keys.'), ageColumn],
    row(object, now) {
      const { type = '', data = {} } = asSecret(object);
      return [nameCell(object), type, Object.keys(data).length, ageCell(object, now)];
    },
    selectableFields: { type: (object) => asSecret(object).type ?? '' },
  }),
};

function asSecret(object: RawObject): SecretObject {
  return object as SecretObject;
}

function validateSecret({ type = '', data = {}, metadata }: SecretObject): Cause[] {
  const causes = Object.keys(data).flatMap((key) => eachInvalid(`data[${key}]`, key, configMapKey(key)));
  const size = Object.values(data).reduce((sum, value) => sum + Buffer.byteLength(value, 'base64'), 0);
  if (size > mostBytes) causes.push(tooLong('data', mostBytes));
  for (const key of promisedKeys[type] ?? []) if (!(key in data)) causes.push(required(`data[${key}]`));
  if (type === 'kubernetes.io/basic-auth' && !('username' in data) && !('password' in data)) {
    causes.push(required('data[username]'), required('data[password]'));
  }
  if (type.startsWith('kubernetes.io/dockerc')) causes.push(...validateJson(data, promisedKeys[type] ?? []));
  const account = 'kubernetes.io/service-account.name';
  if (type === tokenType && !metadata.annotations?.[account]) {
    causes.push(required(`metadata.annotations[${account}]`));
  }
  return causes;
}

function validateJson(data: Record<string, string>, keys: string[]): Cause[] {
  return keys.flatMap((key) => {
    const text = data[key];
    if (text === undefined) return [];
    try {
      JSON.parse(Buffer.from(text, 'base64').toString());
      return [];
    } catch {
      return [invalid(`data[${key}]`, '<secret contents redacted>', 'invalid JSON')];
    }
  });
}
