import { createHash } from 'node:crypto';
import type { PodTemplate } from './objects.ts';

export const TEMPLATE_HASH_LABEL = 'pod-template-hash';

/** No vowels and nothing that looks like another sign: hashes go into names that people read. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** Ten signs, the same for equal templates whatever the order of their keys. */
export function templateHash(template: PodTemplate): string {
  const digest = createHash('sha256')
    .update(canonical(withoutHash(template)))
    .digest();
  return [...digest.subarray(0, 10)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
}

/** Whether a ReplicaSet's template is the Deployment's: equal but for the hash label that the ReplicaSet's carries. */
export function sameTemplate(a: PodTemplate, b: PodTemplate): boolean {
  return canonical(withoutHash(a)) === canonical(withoutHash(b));
}

function withoutHash(template: PodTemplate): PodTemplate {
  const { [TEMPLATE_HASH_LABEL]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

/** JSON with sorted keys, without the difference between an absent field and a null or undefined one. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (inner === null) return undefined;
    if (typeof inner !== 'object' || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}
