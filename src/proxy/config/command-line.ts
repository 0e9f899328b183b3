import { type Command, Option } from 'commander';
import { isRecord, type JsonRecord } from '../../kube/values.ts';
import { type FlagSpec, type GivenFlags, PROXY_FLAGS } from './flags.ts';
import { configDocument } from './print.ts';
import type { KubeProxyConfiguration } from './types.ts';

/** Adds every kube-proxy flag to a command; `defaults` are only shown in its help. Read them back with `givenFlags`. */
export function addProxyFlags(command: Command, defaults: KubeProxyConfiguration): Command {
  const document = configDocument(defaults);
  for (const spec of PROXY_FLAGS) command.addOption(toOption(spec, document));
  return command;
}

/** The flags that were given on the command line, with their texts as they stand there. */
export function givenFlags(command: Command): GivenFlags {
  const given = new Map<string, readonly string[]>();
  const values: JsonRecord = command.opts();
  for (const spec of PROXY_FLAGS) {
    const key = new Option(`--${spec.name} <text>`).attributeName();
    const texts = values[key];
    if (command.getOptionValueSource(key) !== 'cli') continue;
    given.set(spec.name, Array.isArray(texts) ? texts.map(String) : ['true']);
  }
  return given;
}

function toOption(spec: FlagSpec, document: JsonRecord): Option {
  const text = spec.kind === 'bool' ? '[bool]' : `<${spec.kind}>`;
  const shown = defaultText(spec, document);
  const help = shown === '' ? spec.help : `${spec.help} (default ${shown})`;
  const option = new Option(`${spec.short ? `-${spec.short}, ` : ''}--${spec.name} ${text}`, help);
  // `-v=2`, which kube-proxy's flags allow, reaches us as "=2". A boolean without a text comes as true, past this reader.
  const clean = (value: string) => (spec.short ? value.replace(/^=/, '') : value);
  option.argParser((value: string, before: unknown) => [...(Array.isArray(before) ? before : []), clean(value)]);
  if (spec.deprecated || spec.group === 'nothing') option.hideHelp();
  return option;
}

function defaultText(spec: FlagSpec, document: JsonRecord): string {
  const [field] = spec.fields;
  if (field === undefined) return '';
  let value: unknown = document;
  for (const name of field.split('.')) value = isRecord(value) ? value[name] : undefined;
  return typeof value === 'string' || typeof value === 'number' || value === true ? String(value) : '';
}
