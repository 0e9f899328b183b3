/** One instruction of a Dockerfile, its continuation lines joined: `RUN apt-get ...`. */
export interface Instruction {
  name: string;
  /** `--from=build` is `{ from: 'build' }`. */
  flags: Record<string, string>;
  text: string;
}

export interface Stage {
  name: string;
  /** Another stage, `scratch`, or an image. */
  from: string;
  instructions: Instruction[];
}

export interface Dockerfile {
  /** What `ARG` before the first stage sets. */
  args: Record<string, string>;
  stages: Stage[];
}

/** The part of the language that is understood here, with the flags of each instruction. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  ARG: [],
  CMD: [],
  COPY: ['from'],
  ENTRYPOINT: [],
  ENV: [],
  FROM: [],
  LABEL: [],
  RUN: [],
  USER: [],
  WORKDIR: [],
};

const FLAG = /^--([a-z]+)(?:=(\S+))?\s+/;

/**
 * @param given build arguments that replace defaults
 * @throws Error for an instruction or flag that is not understood here, and for a stage without a name
 */
export function parseDockerfile(source: string, given: Readonly<Record<string, string>> = {}): Dockerfile {
  const lines = source
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const file: Dockerfile = { args: {}, stages: [] };
  for (const line of lines) {
    const instruction = parseInstruction(line);
    const stage = file.stages.at(-1);
    if (instruction.name === 'FROM') {
      const [, from = '', name] = /^(\S+)\s+AS\s+(\S+)$/.exec(instruction.text) ?? [];
      if (name === undefined) throw new Error(`a stage without a name: ${line}`);
      file.stages.push({ name, from: expand(from, file.args), instructions: [] });
    } else if (stage) stage.instructions.push(instruction);
    else if (instruction.name === 'ARG') Object.assign(file.args, argument(instruction.text, given));
    else throw new Error(`${instruction.name} before the first stage`);
  }
  return file;
}

function parseInstruction(line: string): Instruction {
  const [, name = '', rest = ''] = /^\s*([A-Z]+)\s+(.*)$/.exec(line) ?? [];
  const allowed = KNOWN[name];
  if (!allowed) throw new Error(`not understood here: ${line.trim()}`);
  const flags: Record<string, string> = {};
  let text = rest.trim();
  for (let flag = FLAG.exec(text); flag; flag = FLAG.exec(text)) {
    const [whole, flagName = '', value] = flag;
    if (value === undefined || !allowed.includes(flagName))
      throw new Error(`not understood here: ${name} ${whole.trim()}`);
    flags[flagName] = value;
    text = text.slice(whole.length);
  }
  return { name, flags, text };
}

/** `ARG NAME=default`: the default, or what is given instead. */
export function argument(text: string, given: Readonly<Record<string, string>>): Record<string, string> {
  const [[name, value] = ['', '']] = Object.entries(assignments(text.includes('=') ? text : `${text}=`));
  return { [name]: given[name] ?? value };
}

/** `NAME=value OTHER="with blanks"`. @throws Error for anything else */
export function assignments(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  const rest = text.replaceAll(/([\w.]+)=(?:"([^"]*)"|(\S*))/g, (_, name: string, quoted?: string, bare?: string) => {
    found[name] = quoted ?? bare ?? '';
    return '';
  });
  if (rest.trim() !== '') throw new Error(`not NAME=value: ${rest.trim()}`);
  return found;
}

/** The words of `["a", "b"]`. @throws Error for the form that a shell would run */
export function execForm(text: string): string[] {
  const words: unknown = text.startsWith('[') ? JSON.parse(text) : undefined;
  if (!Array.isArray(words)) throw new Error(`not the exec form: ${text}`);
  return words.map(String);
}

/** Puts in values of variables. @throws Error for one that has no value */
export function expand(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{?([A-Za-z_]+)\}?/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${whole} has no value`);
    return value;
  });
}
