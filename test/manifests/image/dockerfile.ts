/** One line of a Dockerfile, its continuation lines joined: `RUN apt-get ...`. */
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

const FLAG = /^--([a-z]+)=(\S+)\s+/;

/** Reads the parts of the language that our Dockerfile uses. @throws Error for a stage without a name */
export function parseDockerfile(source: string): Dockerfile {
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
    else if (instruction.name === 'ARG') Object.assign(file.args, assignment(instruction.text));
    else throw new Error(`${instruction.name} before the first stage`);
  }
  return file;
}

function parseInstruction(line: string): Instruction {
  const [, name = '', rest = ''] = /^\s*([A-Z]+)\s+(.*)$/.exec(line) ?? [];
  const flags: Record<string, string> = {};
  let text = rest.trim();
  for (let flag = FLAG.exec(text); flag; flag = FLAG.exec(text)) {
    flags[flag[1] ?? ''] = flag[2] ?? '';
    text = text.slice(flag[0].length);
  }
  return { name, flags, text };
}

/** `NAME=value` */
export function assignment(text: string): Record<string, string> {
  const at = text.indexOf('=');
  return at < 0 ? { [text]: '' } : { [text.slice(0, at)]: text.slice(at + 1).replaceAll(/^"|"$/g, '') };
}

export function expand(text: string, values: Record<string, string>): string {
  return text.replaceAll(/\$\{?([A-Za-z_]+)\}?/g, (_, name: string) => values[name] ?? '');
}
