import { isRecord } from '../values.ts';

/**
 * One copy of each string that many objects repeat (namespaces, node names, zones, label values). JSON.parse shares property names
 * but makes a new string for every value.
 */
const known = new Map<string, string>();
/** Past this the strings are evidently not repeated ones; starting afresh only costs some sharing. */
const MAX_KNOWN = 50_000;
/** Longer strings are texts, not names. */
const MAX_LENGTH = 128;

export function intern(text: string): string {
  if (text.length > MAX_LENGTH) return text;
  const found = known.get(text);
  if (found !== undefined) return found;
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(text, text);
  return text;
}

/** A copy of a label map with only its string values, shared ones; undefined when it is empty. */
export function internMap(value: unknown): Record<string, string> | undefined {
  if (!isRecord(value)) return undefined;
  const found: Record<string, string> = {};
  let size = 0;
  for (const key in value) {
    const item = value[key];
    if (typeof item !== 'string') continue;
    found[key] = intern(item);
    size++;
  }
  return size > 0 ? found : undefined;
}
