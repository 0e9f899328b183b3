import { describe, expect, it } from 'vitest';
import { ApiError } from '../../src/kube/errors.ts';
import { missingGrant } from '../../src/kube/forbidden.ts';

const forbidden = (message: string) => new ApiError({ code: 'FORBIDDEN', httpStatus: 403, message });

describe('what to grant after a refusal', () => {
  it('is a rule of a ClusterRole where the server asked at the scope of the cluster, with both verbs of a cache', () => {
    const error = forbidden(
      'pods is forbidden: User "system:serviceaccount:kube-system:slicewise" cannot list resource "pods" in API group "" at the cluster scope',
    );
    expect(missingGrant(error)).toBe(
      '{apiGroups: [""], resources: ["pods"], verbs: ["list", "watch"]} in a ClusterRole bound to system:serviceaccount:kube-system:slicewise',
    );
  });

  it('is a rule of a Role where the server named a namespace', () => {
    const error = forbidden(
      'leases.coordination.k8s.io "slicewise-controller" is forbidden: User "u" cannot update resource "leases" in API group "coordination.k8s.io" in the namespace "kube-system"',
    );
    expect(missingGrant(error)).toBe(
      '{apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["update"]} in a Role in namespace kube-system bound to u',
    );
  });

  it('is not guessed from other errors or other words', () => {
    expect(missingGrant(new ApiError({ code: 'UNAUTHORIZED', message: 'Unauthorized' }))).toBeUndefined();
    expect(missingGrant(forbidden('denied by admission webhook'))).toBeUndefined();
    expect(missingGrant(new Error('User "u" cannot list resource "pods" in API group ""'))).toBeUndefined();
  });
});
