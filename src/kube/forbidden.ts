import { isApiError } from './errors.ts';

/**
 * What a cluster administrator has to grant after a refusal, as a rule of a Role or ClusterRole in one line; undefined for any other
 * error, and for a refusal whose wording does not tell. The wording is that of kube-apiserver's authorization layer:
 * `... cannot list resource "pods" in API group "" at the cluster scope`.
 */
export function missingGrant(error: unknown): string | undefined {
  if (!isApiError(error, 'FORBIDDEN')) return undefined;
  const told =
    /User "([^"]*)" cannot (\w+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]*)")?/.exec(
      error.message,
    );
  if (!told) return undefined;
  const [, user = '', verb = '', resource = '', group = '', namespace] = told;
  // A cache needs both, and the second would only be missed after the first was granted.
  const verbs = verb === 'list' || verb === 'watch' ? ['list', 'watch'] : [verb];
  const rule = `{apiGroups: ["${group}"], resources: ["${resource}"], verbs: [${verbs.map((v) => `"${v}"`).join(', ')}]}`;
  return `${rule} in a ${namespace === undefined ? 'ClusterRole' : `Role in namespace ${namespace}`} bound to ${user}`;
}
