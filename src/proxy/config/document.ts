import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseAllDocuments, type Tags } from 'yaml';
import { messageOf, singleLine } from '../../kube/values.ts';
import { UserError } from '../../user-error.ts';

export interface ConfigDocument {
  /** Plain JSON data. Of a field that was given twice the last value counts. */
  readonly value: unknown;
  /** One line each: fields given twice, with path and line; documents that nobody reads. */
  readonly warnings: readonly string[];
}

/**
 * Reads YAML 1.1 (so JSON too, and `yes` is true, as upstream's parser has it) without taking its dates, base-60 numbers and
 * binary data for anything but text. @throws UserError naming `name` and the line.
 */
export function parseDocument(name: string, text: string): ConfigDocument {
  const lines = new LineCounter();
  const options = { version: '1.1', uniqueKeys: false, lineCounter: lines, customTags: jsonTags } as const;
  const documents = parseAllDocuments(text, options);
  const [document] = documents;
  if (!document || 'empty' in documents) throw new UserError(`${name} is empty`);
  const [fault] = document.errors;
  if (fault) throw new UserError(`${name} is not YAML: ${singleLine(fault.message)}`);
  const warnings: string[] = [];
  if (document.contents) findDuplicates(document.contents, '', lines, warnings);
  if (documents.length > 1) warnings.push(`only the first of ${documents.length} YAML documents is read`);
  try {
    return { value: document.toJS(), warnings };
  } catch (error) {
    throw new UserError(`${name} is not YAML: ${singleLine(messageOf(error))}`, { cause: error });
  }
}

const NOT_JSON = ['timestamp', 'binary', 'omap', 'pairs', 'set'].map((kind) => `tag:yaml.org,2002:${kind}`);

function jsonTags(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag === 'string' || (!NOT_JSON.includes(tag.tag) && tag.format !== 'TIME'));
}

function findDuplicates(node: Node, path: string, lines: LineCounter, warnings: string[]): void {
  if (isSeq<Node>(node)) {
    node.items.forEach((item, i) => {
      findDuplicates(item, `${path}[${i}]`, lines, warnings);
    });
    return;
  }
  if (!isMap<Node, Node | null>(node)) return;
  const seen = new Set<string>();
  for (const pair of node.items) {
    if (!isPair(pair) || isAlias(pair.key)) continue;
    const key = isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
    const at = path ? `${path}.${key}` : key;
    // A merge key stands for other keys, which an explicit one may override.
    if (seen.has(key) && key !== '<<') {
      const line = lines.linePos(pair.key.range?.[0] ?? 0).line;
      warnings.push(`field "${at}" is given twice; the one in line ${line} counts`);
    }
    seen.add(key);
    if (pair.value) findDuplicates(pair.value, at, lines, warnings);
  }
}
