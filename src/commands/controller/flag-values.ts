import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../../duration.ts';
import { isUpstreamWay, UPSTREAM_WAYS, type UpstreamWay } from '../../endpointslice/options.ts';
import { UserError } from '../../user-error.ts';

/** Parsers of flag values. What they throw becomes one line that names the flag. */

/** The words are kube-controller-manager's. */
export function inRange(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = wholeNumber(text);
    if (value < min) throw new UserError(`${name} must not be less than ${min}, but got ${value}`, { exitCode: 2 });
    if (value > max) throw new UserError(`${name} must not be more than ${max}, but got ${value}`, { exitCode: 2 });
    return value;
  };
}

export function wholeNumber(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new InvalidArgumentError(`"${text}" is not a whole number.`);
  return Number(text);
}

export function decimalNumber(text: string): number {
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError(`"${text}" is not a number.`);
  return Number(text);
}

/** Milliseconds. */
export function duration(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? `${error.message}.` : String(error));
  }
}

/** The spellings that Go's flags take. */
export function truth(text: string): boolean {
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw new InvalidArgumentError(`"${text}" is neither true nor false.`);
}

export function listOfPaths(text: string): string[] {
  const paths = text.split(',').filter((path) => path !== '');
  const wrong = paths.find((path) => !path.startsWith('/'));
  if (wrong !== undefined) throw new InvalidArgumentError(`"${wrong}" does not begin with a slash.`);
  return paths;
}

export function upstreamWays(text: string, previous: UpstreamWay[] = []): UpstreamWay[] {
  if (text === 'all') return Object.keys(UPSTREAM_WAYS).filter(isUpstreamWay);
  const ways = text.split(',').map((name) => name.trim());
  const unknown = ways.find((name) => !isUpstreamWay(name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`"${unknown}" is not one of ${Object.keys(UPSTREAM_WAYS).join(', ')}.`);
  }
  return [...previous, ...ways.filter(isUpstreamWay)];
}
