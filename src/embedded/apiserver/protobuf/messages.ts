import { readFileSync } from 'node:fs';

/** One field of a protobuf message. */
export interface MessageField {
  /** The JSON member; undefined for a struct that JSON spreads into its parent. */
  name: string | undefined;
  shape: 'single' | 'list' | 'map';
  /** A scalar (`string`, `bytes`, `bool`, `int32`, `int64`, `double`) or a message (`core.PodSpec`). */
  type: string;
}

export type Message = ReadonlyMap<number, MessageField>;

let messages: ReadonlyMap<string, Message> | undefined;

/** The fields of a message by number; undefined for a type that no request is made of. */
export function messageOf(type: string): Message | undefined {
  messages ??= parseMessages(readFileSync(new URL('messages.txt', import.meta.url), 'utf8'));
  return messages.get(type);
}

/** Lines of `TYPE NUMBER:NAME:TYPE ...`; `*` is the name of a spread struct, `[]` and `{}` before a type make it a list or a map. */
export function parseMessages(text: string): Map<string, Message> {
  const found = new Map<string, Message>();
  for (const line of text.split('\n')) {
    const [name, ...fields] = line.split(' ');
    if (name) found.set(name, new Map(fields.map(parseField)));
  }
  return found;
}

function parseField(text: string): [number, MessageField] {
  const [number = '', name = '', shaped = ''] = text.split(':');
  const shape = shaped.startsWith('[]') ? 'list' : shaped.startsWith('{}') ? 'map' : 'single';
  const type = shape === 'single' ? shaped : shaped.slice(2);
  return [Number(number), { name: name === '*' ? undefined : name, shape, type }];
}
