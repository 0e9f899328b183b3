import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { share } from '../../../src/kube/projections/share.ts';
import { ENDPOINT_SLICES } from '../../../src/kube/projections.ts';
import type { EndpointSlice } from '../../../src/objects/endpointslice.ts';

const json = fc.jsonValue();

describe('sharing between two versions', () => {
  it('never changes what the later one says, nor the earlier one', () => {
    fc.assert(
      fc.property(json, json, (before, after) => {
        const [was, is] = [JSON.stringify(before), JSON.stringify(after)];
        expect(JSON.stringify(share(before, after))).toBe(is);
        expect(JSON.stringify(before)).toBe(was);
      }),
    );
  });

  it('leaves nothing of the later one when both are the same', () => {
    fc.assert(
      fc.property(json, (before) => {
        expect(share(before, JSON.parse(JSON.stringify(before)))).toBe(before);
      }),
    );
  });

  it.each([
    ['a field less', { a: {}, b: 1 }, { a: {} }],
    ['a field more', { a: {} }, { a: {}, b: 1 }],
    ['an item less', { a: {}, list: [{}, {}] }, { a: {}, list: [{}] }],
    ['another type', { a: {}, list: [] }, { a: {}, list: {} }],
  ])('tells %s', (_, before, after) => {
    const shared = share(before, structuredClone(after)) as typeof after;
    expect(shared).toEqual(after);
    expect(shared).not.toBe(before);
    expect(shared.a).toBe(before.a);
  });

  it('keeps of a slice all endpoints but the one that changed', () => {
    const version = (resourceVersion: string, ready: boolean): EndpointSlice =>
      ENDPOINT_SLICES.project({
        metadata: { name: 's', namespace: 'shop', resourceVersion, labels: { app: 'web' } },
        addressType: 'IPv4',
        endpoints: ['10.0.0.1', '10.0.0.2'].map((address, i) => ({
          addresses: [address],
          conditions: { ready: i === 0 || ready, serving: true },
          targetRef: { kind: 'Pod', name: `p${i}` },
        })),
        ports: [{ name: 'http', port: 80 }],
      });
    const before = version('1', true);
    const after = ENDPOINT_SLICES.share?.(before, version('2', false));
    expect(after).toEqual(version('2', false));
    expect(after?.endpoints[0]).toBe(before.endpoints[0]);
    expect(after?.endpoints[1]).not.toBe(before.endpoints[1]);
    expect(after?.endpoints[1]?.targetRef).toBe(before.endpoints[1]?.targetRef);
    expect(after?.ports).toBe(before.ports);
    expect(after?.metadata.labels).toBe(before.metadata.labels);
  });
});
