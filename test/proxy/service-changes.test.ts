import { describe, expect, it } from 'vitest';
import { ServiceChanges } from '../../src/proxy/service-changes.ts';
import { service } from './objects.ts';

const v1 = service('ns1/svc1');
const v2 = service('ns1/svc1', { clusterIP: '172.30.0.42' });
const v3 = service('ns1/svc1', { clusterIP: '172.30.0.43' });

function clusterIPs(change: ReturnType<ServiceChanges['take']>, key = 'ns1/svc1') {
  const of = (side: 'before' | 'after') => [...(change.get(key)?.[side].values() ?? [])].map((r) => r.clusterIP);
  return { before: of('before'), after: of('after') };
}

describe('service changes', () => {
  it('turn an added Service into ports that were not there before', () => {
    const changes = new ServiceChanges('IPv4');
    expect(changes.onService(undefined, v1)).toBe(true);
    expect(changes.pending).toBe(1);
    expect(clusterIPs(changes.take())).toEqual({ before: [], after: ['172.30.0.41'] });
    expect(changes.pending).toBe(0);
    expect(changes.take().size).toBe(0);
  });

  it('remember the state before the first of several updates', () => {
    const changes = new ServiceChanges('IPv4');
    changes.onService(v1, v2);
    changes.onService(v2, v3);
    expect(clusterIPs(changes.take())).toEqual({ before: ['172.30.0.41'], after: ['172.30.0.43'] });
  });

  it('leave nothing when an update takes the one before back', () => {
    const changes = new ServiceChanges('IPv4');
    changes.onService(v1, v2);
    expect(changes.onService(v2, v1)).toBe(false);
    expect(changes.take().size).toBe(0);
    expect(changes.events).toBe(2);
  });

  it('leave nothing when only annotations and target ports differ', () => {
    const changes = new ServiceChanges('IPv4');
    const other = service(
      'ns1/svc1',
      { ports: [{ name: 'p80', protocol: 'TCP', port: 80, targetPort: 8080 }] },
      { annotations: { a: 'b' } },
    );
    expect(changes.onService(v1, other)).toBe(false);
    expect(changes.pending).toBe(0);
  });

  it('ask for a sync on any event while something is pending', () => {
    const changes = new ServiceChanges('IPv4');
    changes.onService(undefined, v1);
    const other = service('ns2/svc2');
    expect(changes.onService(other, other)).toBe(true);
    expect(changes.pending).toBe(1);
  });

  it('name the ports that a deleted Service had', () => {
    const changes = new ServiceChanges('IPv4');
    changes.onService(v1, undefined);
    expect(clusterIPs(changes.take())).toEqual({ before: ['172.30.0.41'], after: [] });
  });

  it('see no change in a headless Service', () => {
    const changes = new ServiceChanges('IPv4');
    expect(changes.onService(undefined, service('ns1/svc1', { clusterIP: 'None' }))).toBe(false);
  });

  it('report what they leave out', () => {
    const lines: string[] = [];
    new ServiceChanges('IPv4', (line) => lines.push(line)).onService(
      undefined,
      service('ns1/svc1', { externalIPs: ['x\ny'] }),
    );
    expect(lines).toEqual(['Service "ns1/svc1": externalIPs "x\\ny" is not an IP address']);
  });
});

describe('service changes that a failed sync puts back', () => {
  it('come again with the next take', () => {
    const changes = new ServiceChanges('IPv4');
    changes.onService(v1, v2);
    changes.putBack(changes.take());
    expect(changes.pending).toBe(1);
    expect(clusterIPs(changes.take())).toEqual({ before: ['172.30.0.41'], after: ['172.30.0.42'] });
  });

  it('are joined with newer ones', () => {
    const changes = new ServiceChanges('IPv4');
    changes.onService(v1, v2);
    const taken = changes.take();
    changes.onService(v2, v3);
    changes.putBack(taken);
    expect(clusterIPs(changes.take())).toEqual({ before: ['172.30.0.41'], after: ['172.30.0.43'] });
  });

  it('come again even when a newer one takes them back, for the sync may have got half way', () => {
    const changes = new ServiceChanges('IPv4');
    changes.onService(v1, v2);
    const taken = changes.take();
    changes.putBack(taken);
    changes.onService(v2, v1);
    expect(clusterIPs(changes.take())).toEqual({ before: ['172.30.0.41'], after: ['172.30.0.41'] });
  });
});
