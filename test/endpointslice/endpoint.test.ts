import { describe, expect, it } from 'vitest';
import {
  endpointIdentity,
  isCandidate,
  podEndpoint,
  sameEndpoint,
  wantedAddressTypes,
} from '../../src/endpointslice/endpoint.ts';
import type { Endpoint } from '../../src/objects/endpointslice.ts';
import type { Service } from '../../src/objects/service.ts';
import { endpoint, node, type PodParts, pod, type ServiceParts, service } from './support/build.ts';

function make(parts: PodParts = {}, of: Service = service(), at = node('node-a', { zone: 'z1' })): Endpoint {
  return podEndpoint(pod('p', parts), of, at, ['10.0.0.1']);
}

describe('Pod to endpoint', () => {
  it.each([
    // ready condition, deleting, publishNotReadyAddresses -> ready, serving, terminating
    [true, false, false, true, true, false],
    [false, false, false, false, false, false],
    [true, true, false, false, true, true],
    [false, true, false, false, false, true],
    [true, false, true, true, true, false],
    [false, false, true, true, false, false],
    [true, true, true, true, true, true],
    [false, true, true, true, false, true],
  ])(
    'ready=%s deleting=%s publish=%s gives ready=%s serving=%s terminating=%s',
    (ready, deleting, publish, ...expected) => {
      const { conditions } = make({ ready, deleting }, service({ publishNotReadyAddresses: publish }));
      expect(conditions).toEqual({ ready: expected[0], serving: expected[1], terminating: expected[2] });
    },
  );

  it('takes a Pod without a Ready condition, or with an unknown one, as not ready', () => {
    const bare = pod('p');
    for (const conditions of [undefined, [], [{ type: 'Ready', status: 'Unknown' }]]) {
      const status = { ...bare.status, ...(conditions ? { conditions } : { conditions: [] }) };
      expect(podEndpoint({ ...bare, status }, service(), undefined, ['10.0.0.1']).conditions?.ready).toBe(false);
    }
  });

  it('points at the Pod by kind, namespace, name and uid', () => {
    expect(make().targetRef).toEqual({ kind: 'Pod', namespace: 'shop', name: 'p', uid: 'uid-p' });
  });

  it('carries the node, and the zone of the node when it has one', () => {
    expect(make()).toMatchObject({ nodeName: 'node-a', zone: 'z1' });
    expect(make({}, service(), node('node-a'))).not.toHaveProperty('zone');
    expect(make({}, service(), node('node-a', { zone: '' }))).not.toHaveProperty('zone');
    expect(make({ node: '' })).not.toHaveProperty('nodeName');
  });

  it.each([
    ['hostname and the Service as subdomain', { hostname: 'a', subdomain: 'web' }, 'a'],
    ['a hostname without subdomain', { hostname: 'a' }, undefined],
    ['another subdomain', { hostname: 'a', subdomain: 'db' }, undefined],
    ['a subdomain without hostname', { subdomain: 'web' }, undefined],
  ])('with %s the hostname is %s', (_, parts, expected) => {
    expect(make(parts).hostname).toBe(expected);
  });

  it('never sets hints or the deprecated topology', () => {
    expect(Object.keys(make()).sort()).toEqual(['addresses', 'conditions', 'nodeName', 'targetRef', 'zone']);
  });

  it.each([
    ['a running Pod', {}, true],
    ['a Pod that is not ready', { ready: false }, true],
    ['a terminating Pod', { deleting: true }, true],
    ['a pending Pod with an address', { phase: 'Pending' }, true],
    ['a Pod of unknown phase', { phase: 'Unknown' }, true],
    ['a Pod with only status.podIP', { podIPOnly: '10.0.0.1' }, true],
    ['a Pod without address', { ips: [] }, false],
    ['a Pod that succeeded', { phase: 'Succeeded' }, false],
    ['a Pod that failed though its ready flag lingers', { phase: 'Failed', ready: true }, false],
  ])('%s is a candidate: %s', (_, parts, expected) => {
    expect(isCandidate(pod('p', parts as PodParts))).toBe(expected);
  });
});

describe('the identity of an endpoint', () => {
  const base = endpoint('p', '10.0.0.1');

  it.each<[string, Partial<Endpoint>]>([
    ['addresses', { addresses: ['10.0.0.2'] }],
    ['hostname', { hostname: 'h' }],
    ['target name', { targetRef: { ...base.targetRef, name: 'q' } }],
    ['target namespace', { targetRef: { ...base.targetRef, namespace: 'other' } }],
  ])('depends on %s', (_, change) => {
    expect(endpointIdentity({ ...base, ...change })).not.toBe(endpointIdentity(base));
  });

  it.each<[string, Partial<Endpoint>]>([
    ['node', { nodeName: 'node-b' }],
    ['zone', { zone: 'z9' }],
    ['conditions', { conditions: { ready: false } }],
    ['target uid', { targetRef: { ...base.targetRef, uid: 'new' } }],
    ['hints', { hints: { forZones: [{ name: 'z' }] } }],
  ])('does not depend on %s', (_, change) => {
    expect(endpointIdentity({ ...base, ...change })).toBe(endpointIdentity(base));
  });

  it('does not depend on the order of addresses', () => {
    const addresses = ['10.0.0.2', '10.0.0.1'];
    expect(endpointIdentity({ ...base, addresses })).toBe(
      endpointIdentity({ ...base, addresses: [...addresses].reverse() }),
    );
    expect(addresses).toEqual(['10.0.0.2', '10.0.0.1']);
  });
});

describe('what makes an endpoint worth rewriting', () => {
  const base = endpoint('p', '10.0.0.1', { zone: 'z1' });
  const { zone: _, ...withoutZone } = base;

  it.each<[string, Endpoint]>([
    ['another node', { ...base, nodeName: 'node-b' }],
    ['another zone', { ...base, zone: 'z2' }],
    ['a zone that is gone', withoutZone],
    ['readiness', { ...base, conditions: { ready: false, serving: true, terminating: false } }],
    ['serving that was not said before', { ...base, conditions: { ready: true, terminating: false } }],
    ['a recreated Pod', { ...base, targetRef: { ...base.targetRef, uid: 'new' } }],
  ])('%s does', (_, other) => {
    expect(sameEndpoint(base, other)).toBe(false);
  });

  it('hints, the deprecated topology and the resourceVersion of the target do not', () => {
    const other = {
      ...base,
      hints: { forZones: [{ name: 'z' }] },
      deprecatedTopology: { a: 'b' },
      targetRef: { ...base.targetRef, resourceVersion: '9' },
    };
    expect(sameEndpoint(base, other)).toBe(true);
  });
});

describe('the address types a Service wants', () => {
  it.each<[string, ServiceParts, string[]]>([
    ['one family', { ipFamilies: ['IPv6'] }, ['IPv6']],
    ['two families', { ipFamilies: ['IPv6', 'IPv4'] }, ['IPv6', 'IPv4']],
    ['no families but an IPv4 cluster IP', { ipFamilies: [], clusterIP: '10.96.0.1' }, ['IPv4']],
    ['no families but an IPv6 cluster IP', { ipFamilies: [], clusterIP: 'fd00::1' }, ['IPv6']],
    ['no families and headless', { ipFamilies: [], clusterIP: 'None' }, ['IPv4', 'IPv6']],
    ['no families and no cluster IP', { ipFamilies: [], clusterIP: '' }, ['IPv4', 'IPv6']],
  ])('%s', (_, parts, expected) => {
    expect(wantedAddressTypes(service(parts))).toEqual(expected);
  });
});
