import { describe, expect, it } from 'vitest';
import { patchKeysOf } from '../../../../../src/embedded/apiserver/kinds/schema/keys.ts';

describe('how patches merge a kind', () => {
  const owner = { 'metadata.ownerReferences[]': [] };

  it('every kind merges finalizers and owners, and owns an owner as a whole', () => {
    expect(patchKeysOf('V1Lease')).toEqual({
      mergeKeys: { 'metadata.finalizers': '', 'metadata.ownerReferences': 'uid' },
      applyKeys: owner,
    });
  });

  it('the ports of a Service have one key for merging and two for applying', () => {
    const { mergeKeys, applyKeys } = patchKeysOf('V1Service');
    expect(mergeKeys).toMatchObject({ 'spec.ports': 'port', 'status.conditions': 'type' });
    expect(applyKeys).toEqual({ ...owner, 'spec.ports': ['port', 'protocol'], 'spec.selector': [] });
  });

  it('an EndpointSlice is replaced list by list', () => {
    const { mergeKeys, applyKeys } = patchKeysOf('V1EndpointSlice');
    expect(Object.keys(mergeKeys)).toEqual(['metadata.finalizers', 'metadata.ownerReferences']);
    expect(applyKeys).toEqual({ ...owner, 'endpoints[].addresses': [''], 'endpoints[].targetRef': [] });
  });

  it('a template merges as a Pod does', () => {
    const pod = patchKeysOf('V1Pod');
    const deployment = patchKeysOf('V1Deployment');
    const ofSpec = (keys: Record<string, unknown>, prefix: string) =>
      Object.fromEntries(
        Object.entries(keys)
          .filter(([path]) => path.startsWith(prefix))
          .map(([path, key]) => [path.slice(prefix.length), key]),
      );
    expect(ofSpec(deployment.mergeKeys, 'spec.template.spec.')).toEqual(ofSpec(pod.mergeKeys, 'spec.'));
    expect(ofSpec(deployment.applyKeys, 'spec.template.spec.')).toEqual(ofSpec(pod.applyKeys, 'spec.'));
    expect(pod.mergeKeys).toMatchObject({
      'spec.containers': 'name',
      'spec.containers[].env': 'name',
      'status.podIPs': 'ip',
    });
    expect(pod.applyKeys).toMatchObject({
      'spec.containers[].ports': ['containerPort', 'protocol'],
      'spec.imagePullSecrets[]': [],
      'status.hostIPs': [],
    });
    expect(deployment.applyKeys).toMatchObject({ 'spec.selector': [] });
  });
});
