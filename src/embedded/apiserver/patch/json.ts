import { cloneJson, equalJson, isRecord } from '../json.ts';
import { badRequest, StatusError } from '../status.ts';

interface Operation {
  op: string;
  path: string;
  from: string | undefined;
  value: unknown;
}

const mostOperations = 10_000;

/**
 * JSON patch (RFC 6902), with the real server's one liberty: `replace` may name a member that is not there.
 * @param document is not mutated
 * @throws StatusError 400 when `patch` is no list of operations, 413 on too many, 422 when one cannot be carried out
 */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  let root = cloneJson(document);
  for (const operation of parseOperations(patch)) root = applyOperation(root, operation);
  return root;
}

function parseOperations(patch: unknown): Operation[] {
  if (!Array.isArray(patch)) {
    throw badRequest(
      'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
    );
  }
  if (patch.length > mostOperations) {
    const text = `Request entity too large: The allowed maximum operations in a JSON patch is ${mostOperations}, got ${patch.length}`;
    throw new StatusError(413, 'RequestEntityTooLarge', text);
  }
  return patch.map((item: unknown) => {
    if (!isRecord(item)) throw rejected();
    const { op, path, from, value } = item;
    if (typeof op !== 'string' || typeof path !== 'string') throw rejected();
    return { op, path, from: typeof from === 'string' ? from : undefined, value };
  });
}

function applyOperation(root: unknown, { op, path, from, value }: Operation): unknown {
  switch (op) {
    case 'add':
      return add(root, pointer(path), value);
    case 'remove':
      return remove(root, pointer(path));
    case 'replace':
      return replace(root, pointer(path), value);
    case 'move': {
      const source = pointer(from);
      const moved = read(root, source);
      return add(remove(root, source), pointer(path), moved);
    }
    case 'copy':
      return add(root, pointer(path), cloneJson(read(root, pointer(from))));
    case 'test':
      if (!equalJson(readOrNull(root, pointer(path)), value ?? null)) throw rejected();
      return root;
    default:
      throw rejected();
  }
}

function pointer(text: string | undefined): string[] {
  if (text === undefined || (text !== '' && !text.startsWith('/'))) throw rejected();
  return text
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function read(root: unknown, path: string[]): unknown {
  let value = root;
  for (const part of path) {
    if (Array.isArray(value)) value = value[index(part, value.length - 1)];
    else if (isRecord(value) && Object.hasOwn(value, part)) value = value[part];
    else throw rejected();
  }
  return value;
}

/** A member that is absent tests equal to null. */
function readOrNull(root: unknown, path: string[]): unknown {
  const parent = read(root, path.slice(0, -1));
  const key = path.at(-1);
  if (key !== undefined && isRecord(parent) && !Object.hasOwn(parent, key)) return null;
  return read(root, path);
}

function add(root: unknown, path: string[], value: unknown): unknown {
  const key = path.at(-1);
  if (key === undefined) return value;
  const parent = read(root, path.slice(0, -1));
  if (Array.isArray(parent)) parent.splice(key === '-' ? parent.length : index(key, parent.length), 0, value);
  else if (isRecord(parent)) parent[key] = value;
  else throw rejected();
  return root;
}

function remove(root: unknown, path: string[]): unknown {
  const key = path.at(-1);
  if (key === undefined) throw rejected();
  const parent = read(root, path.slice(0, -1));
  if (Array.isArray(parent)) parent.splice(index(key, parent.length - 1), 1);
  else if (isRecord(parent) && Object.hasOwn(parent, key)) delete parent[key];
  else throw rejected();
  return root;
}

function replace(root: unknown, path: string[], value: unknown): unknown {
  const key = path.at(-1);
  if (key === undefined) return value;
  const parent = read(root, path.slice(0, -1));
  if (Array.isArray(parent)) parent[index(key, parent.length - 1)] = value;
  else if (isRecord(parent)) parent[key] = value;
  else throw rejected();
  return root;
}

function index(text: string, last: number): number {
  const at = /^(?:0|[1-9]\d*)$/.test(text) ? Number(text) : Number.NaN;
  if (!(at <= last)) throw rejected();
  return at;
}

/** The real server says no more than this. */
function rejected(): StatusError {
  const message = 'the server rejected our request due to an error in our request';
  return new StatusError(422, 'Invalid', message, {});
}
