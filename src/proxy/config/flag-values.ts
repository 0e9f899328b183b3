import { formatDuration, parseDuration } from '../../duration.ts';
import { UserError } from '../../user-error.ts';
import { parseAddress } from '../addresses.ts';
import type { FlagSpec } from './flags.ts';
import { splitHostPort } from './host-port.ts';

/**
 * Texts of one flag as the JSON value that the same setting has in a configuration file. Of a flag given twice the last text
 * counts; lists grow. `undefined`: the default stays. @throws UserError naming the flag and the text.
 */
export function flagValue(spec: FlagSpec, texts: readonly string[]): unknown {
  const refuse = (text: string, expected: string): never => {
    throw new UserError(`--${spec.name}: ${JSON.stringify(text)} is not ${expected}`);
  };
  const last = texts.at(-1) ?? '';
  switch (spec.kind) {
    case 'string':
    case 'number-or-string':
      return last;
    case 'bool':
      return parseBool(last) ?? refuse(last, 'true or false');
    case 'level':
    case 'int32':
      return parseInteger(last) ?? refuse(last, 'a whole number of 32 bits');
    case 'float':
      return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(last) ? Number(last) : refuse(last, 'a number');
    case 'duration':
      return durationText(spec, last);
    case 'ip':
      if (last === '') return undefined;
      return parseAddress(last) ? last : refuse(last, 'an IP address');
    case 'ipport':
      return last === '' || parseAddress(last) || isHostPort(last) ? last : refuse(last, 'IP:port');
    case 'list':
      return texts.flatMap((text) => (text === '' ? [] : text.split(',')));
    case 'gates':
      return Object.fromEntries(pairs(texts, (text) => refuse(text, 'Name=true,Other=false')).map(readGate));
    case 'vmodule':
      return pairs(texts, (text) => refuse(text, 'pattern=level,...')).map(readModule);
  }

  function readGate([name, text]: readonly [string, string]): [string, boolean] {
    return [name, parseBool(text) ?? refuse(`${name}=${text}`, 'Name=true or Name=false')];
  }

  function readModule([filePattern, text]: readonly [string, string]): { filePattern: string; verbosity: number } {
    return { filePattern, verbosity: parseInteger(text) ?? refuse(`${filePattern}=${text}`, 'pattern=level') };
  }
}

/** As pflag reads booleans: `1 t T true TRUE True` and `0 f F false FALSE False`. */
function parseBool(text: string): boolean | undefined {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text) ? false : undefined;
}

/** As Go reads integers of any base: `16`, `0x10`, `0o20` or `020`, `0b10000`. */
function parseInteger(text: string): number | undefined {
  const [, sign, digits = ''] = /^([+-]?)(\d+|0x[\da-f]+|0o[0-7]+|0b[01]+)$/i.exec(text) ?? [];
  const octal = /^0\d+$/.test(digits);
  const value = Number(octal ? digits.replace(/^0/, '0o') : digits) * (sign === '-' ? -1 : 1);
  if (digits === '' || Number.isNaN(value)) return undefined;
  return value >= -(2 ** 31) && value < 2 ** 31 ? value : undefined;
}

function durationText(spec: FlagSpec, text: string): string {
  try {
    return formatDuration(parseDuration(text));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UserError(`--${spec.name}: ${error.message}`, { cause: error });
  }
}

/** A port out of range is left to validation, which names it. */
function isHostPort(text: string): boolean {
  const parts = splitHostPort(text);
  return parts !== undefined && parseAddress(parts.host) !== undefined && /^\d+$/.test(parts.port);
}

function pairs(texts: readonly string[], refuse: (text: string) => never): (readonly [string, string])[] {
  const entries = texts.flatMap((text) => text.split(',')).filter((entry) => entry.trim() !== '');
  return entries.map((entry) => {
    const at = entry.indexOf('=');
    return at <= 0 ? refuse(entry) : [entry.slice(0, at).trim(), entry.slice(at + 1).trim()];
  });
}
