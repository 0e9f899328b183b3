import { describe, expect, it } from 'vitest';
import { TRIGGER_TIME_ANNOTATION } from '../../src/objects/endpointslice.ts';
import { EndpointChanges } from '../../src/proxy/endpoint-changes.ts';
import type { EndpointsMap } from '../../src/proxy/endpoints.ts';
import { slice } from './objects.ts';

const START = Date.parse('2026-01-01T00:00:00Z');

function tracker(report?: (line: string) => void) {
  return new EndpointChanges({ ipFamily: 'IPv4', nodeName: 'n1', startTime: START, ...(report && { report }) });
}

function addresses(endpoints: EndpointsMap | undefined) {
  return [...(endpoints ?? [])].map(([name, list]) => `${name}: ${list.map((e) => e.address).join(' ')}`);
}

function taken(changes: EndpointChanges, key = 'ns1/svc1') {
  const change = changes.take().changes.get(key);
  return change && { before: addresses(change.before), after: addresses(change.after) };
}

const timed = (time: string, ...ips: string[]) =>
  slice('ns1/svc1', 'a', ips, { annotations: { [TRIGGER_TIME_ANNOTATION]: time } });

describe('endpoint changes', () => {
  it('join all slices of a Service', () => {
    const changes = tracker();
    changes.onSlice(undefined, slice('ns1/svc1', 'a', ['10.0.0.1']));
    changes.onSlice(undefined, slice('ns1/svc1', 'b', ['10.0.0.10', '10.0.0.2']));
    expect(changes.pending).toBe(2);
    expect(taken(changes)).toEqual({
      before: [],
      after: ['ns1/svc1:p80/TCP: 10.0.0.10:80 10.0.0.1:80 10.0.0.2:80'],
    });
    expect(changes.pending).toBe(0);
  });

  it('hand over a Service whose slice changed although its endpoints did not', () => {
    const changes = tracker();
    const first = slice('ns1/svc1', 'a', ['10.0.0.1'], { resourceVersion: '1' });
    const second = slice('ns1/svc1', 'a', ['10.0.0.1'], { resourceVersion: '2', annotations: { x: 'y' } });
    changes.onSlice(undefined, first);
    changes.take();
    expect(changes.onSlice(first, second)).toBe(true);
    expect(taken(changes)).toEqual({
      before: ['ns1/svc1:p80/TCP: 10.0.0.1:80'],
      after: ['ns1/svc1:p80/TCP: 10.0.0.1:80'],
    });
  });

  it('see no change in a slice that is delivered again', () => {
    const changes = tracker();
    changes.onSlice(undefined, slice('ns1/svc1', 'a', ['10.0.0.1']));
    changes.take();
    const again = slice('ns1/svc1', 'a', ['10.0.0.1']);
    expect(changes.onSlice(again, again)).toBe(false);
    expect(changes.events).toBe(2);
    expect(changes.take().changes.size).toBe(0);
  });

  it('see no change in the removal of a slice they never knew', () => {
    const changes = tracker();
    expect(changes.onSlice(slice('ns1/svc1', 'a', ['10.0.0.1']), undefined)).toBe(false);
    expect(changes.take().changes.size).toBe(0);
  });

  it('compare with what is pending, so that adding and removing between two syncs leaves nothing behind', () => {
    const changes = tracker();
    const a = slice('ns1/svc1', 'a', ['10.0.0.1']);
    expect(changes.onSlice(undefined, a)).toBe(true);
    expect(changes.onSlice(a, undefined)).toBe(true);
    expect(taken(changes)).toEqual({ before: [], after: [] });
  });

  it('ignore slices of the other family, of no Service, and of FQDNs', () => {
    const changes = tracker();
    const a = slice('ns1/svc1', 'a', ['10.0.0.1']);
    expect(changes.onSlice(undefined, { ...a, addressType: 'IPv6' })).toBe(false);
    expect(changes.onSlice(undefined, { ...a, addressType: 'FQDN' })).toBe(false);
    expect(changes.onSlice(undefined, { ...a, metadata: { namespace: 'ns1', name: 'a' } })).toBe(false);
    expect(changes.events).toBe(0);
  });

  it('take a slice away from the Service it no longer belongs to', () => {
    const changes = tracker();
    const before = slice('ns1/svc1', 'a', ['10.0.0.1']);
    const after = slice('ns1/svc2', 'a', ['10.0.0.1']);
    changes.onSlice(undefined, before);
    changes.take();
    changes.onSlice(before, after);
    const { changes: both } = changes.take();
    expect([...both.keys()].sort()).toEqual(['ns1/svc1', 'ns1/svc2']);
    expect(addresses(both.get('ns1/svc1')?.after)).toEqual([]);
    expect(addresses(both.get('ns1/svc2')?.after)).toEqual(['ns1/svc2:p80/TCP: 10.0.0.1:80']);
  });

  it('ask for conntrack work when a UDP port is, or was, among the endpoints', () => {
    const changes = tracker();
    const udp = slice('ns1/svc1', 'a', ['10.0.0.1'], { ports: [{ name: 'dns', protocol: 'UDP', port: 53 }] });
    changes.onSlice(undefined, slice('ns2/tcp', 't', ['10.0.0.9']));
    expect(changes.take().conntrackCleanupRequired).toBe(false);
    changes.onSlice(undefined, udp);
    expect(changes.take().conntrackCleanupRequired).toBe(true);
    changes.onSlice(udp, undefined);
    expect(changes.take().conntrackCleanupRequired).toBe(true);
    expect(changes.take().conntrackCleanupRequired).toBe(false);
  });

  it('report what they leave out', () => {
    const lines: string[] = [];
    const changes = tracker((line) => lines.push(line));
    changes.onSlice(undefined, slice('ns1/svc1', 'a', ['10.0.0.1'], { ports: [{ port: 80 }] }));
    changes.take();
    expect(lines).toEqual(['EndpointSlice "ns1/a": ports {"port":80} has no name; the port is left out']);
  });
});

describe('trigger times', () => {
  it('are collected for each change after the start', () => {
    const changes = tracker();
    const first = timed('2026-01-01T00:00:01Z', '10.0.0.1');
    const second = timed('2026-01-01T00:00:02.123456789Z', '10.0.0.2');
    changes.onSlice(undefined, first);
    changes.onSlice(first, second);
    expect([...changes.take().triggerTimes]).toEqual([['ns1/svc1', [START + 1000, START + 2123]]]);
    expect(changes.take().triggerTimes.size).toBe(0);
  });

  it('are ignored when they are no later than the start, or no RFC 3339 time', () => {
    const changes = tracker();
    changes.onSlice(undefined, timed('2026-01-01T00:00:00Z', '10.0.0.1'));
    changes.onSlice(undefined, timed('Jan 5 2026', '10.0.0.2'));
    expect(changes.take().triggerTimes.size).toBe(0);
  });

  it('are forgotten when a slice of the Service goes', () => {
    const changes = tracker();
    const first = timed('2026-01-01T00:00:01Z', '10.0.0.1');
    changes.onSlice(undefined, first);
    changes.onSlice(first, undefined);
    expect(changes.take().triggerTimes.size).toBe(0);
  });
});

describe('endpoint changes that a failed sync puts back', () => {
  const first = timed('2026-01-01T00:00:01Z', '10.0.0.1');
  const second = timed('2026-01-01T00:00:02Z', '10.0.0.2');

  it('come again with the next take, with trigger times and conntrack work', () => {
    const changes = tracker();
    changes.onSlice(undefined, { ...first, ports: [{ name: 'dns', protocol: 'UDP', port: 53 }] });
    const once = changes.take();
    changes.putBack(once);
    expect(changes.pending).toBe(1);
    expect(changes.take()).toEqual(once);
    expect(changes.take().changes.size).toBe(0);
  });

  it('are joined with newer ones', () => {
    const changes = tracker();
    changes.onSlice(undefined, first);
    const once = changes.take();
    changes.onSlice(first, second);
    changes.putBack(once);
    const { changes: all, triggerTimes } = changes.take();
    expect(addresses(all.get('ns1/svc1')?.before)).toEqual([]);
    expect(addresses(all.get('ns1/svc1')?.after)).toEqual(['ns1/svc1:p80/TCP: 10.0.0.2:80']);
    expect(triggerTimes.get('ns1/svc1')).toEqual([START + 1000, START + 2000]);
  });

  it('keep what was there before, also when the last slice is gone', () => {
    const changes = tracker();
    changes.onSlice(undefined, first);
    changes.take();
    changes.onSlice(first, undefined);
    changes.putBack(changes.take());
    expect(changes.onSlice(first, undefined)).toBe(false);
    expect(taken(changes)).toEqual({ before: ['ns1/svc1:p80/TCP: 10.0.0.1:80'], after: [] });
  });
});
