import { describe, expect, it } from 'vitest';
import type { Service } from '../../src/objects/service.ts';
import { servicePorts } from '../../src/proxy/service-ports.ts';
import { service } from './objects.ts';

const records = (svc: Service, family: 'IPv4' | 'IPv6' = 'IPv4') => [...servicePorts(svc, family).ports.values()];
const first = (svc: Service, family: 'IPv4' | 'IPv6' = 'IPv4') => records(svc, family)[0];
const problems = (svc: Service) => servicePorts(svc, 'IPv4').problems;
const ingress = (...points: { ip?: string; hostname?: string; ipMode?: 'VIP' | 'Proxy' }[]) => ({
  status: { loadBalancer: { ingress: points } },
});

describe('service ports', () => {
  it('have one record for each port, by name and protocol', () => {
    const dns = service('kube-system/kube-dns', {
      ports: [
        { name: 'dns', protocol: 'UDP', port: 53, targetPort: 5353 },
        { name: 'dns-tcp', port: 53 },
        { protocol: 'SCTP', port: 99 },
      ],
    });
    expect(records(dns).map((r) => [r.name, r.display, r.port, r.service])).toEqual([
      ['kube-system/kube-dns:dns/UDP', 'kube-system/kube-dns:dns', 53, 'kube-system/kube-dns'],
      ['kube-system/kube-dns:dns-tcp/TCP', 'kube-system/kube-dns:dns-tcp', 53, 'kube-system/kube-dns'],
      ['kube-system/kube-dns/SCTP', 'kube-system/kube-dns', 99, 'kube-system/kube-dns'],
    ]);
  });

  it.each<[string, Partial<Service['spec']>]>([
    ['a headless Service', { clusterIP: 'None' }],
    ['a Service without a cluster IP', { clusterIP: '' }],
    ['an ExternalName Service, even with a cluster IP', { type: 'ExternalName' }],
    ['a Service of the other family', { clusterIP: 'fd00::1' }],
    ['a Service that lists only the other family', { ipFamilies: ['IPv6'], clusterIPs: ['fd00::1'] }],
    ['a Service that lists more families than addresses', { ipFamilies: ['IPv6', 'IPv4'], clusterIPs: ['fd00::1'] }],
  ])('are none for %s', (_, spec) => {
    const found = servicePorts(service('ns/svc', spec), 'IPv4');
    expect([found.ports.size, found.problems]).toEqual([0, []]);
  });

  it('take the cluster IP that stands where their family does', () => {
    const dual = service('ns/svc', {
      clusterIP: '172.30.0.1',
      clusterIPs: ['172.30.0.1', 'FD00::0001'],
      ipFamilies: ['IPv4', 'IPv6'],
    });
    expect(first(dual)?.clusterIP).toBe('172.30.0.1');
    expect(first(dual, 'IPv6')?.clusterIP).toBe('fd00::1');
  });

  it('keep the addresses of their family, in canonical text', () => {
    const record = first(
      service(
        'ns/svc',
        { type: 'LoadBalancer', externalIPs: ['192.168.099.022', 'fd00::1', ' '] },
        ingress({ ip: '1.2.3.004' }, { ip: '5.6.7.8', ipMode: 'Proxy' }, { hostname: 'lb.example' }, { ip: 'fd00::2' }),
      ),
    );
    expect(record).toMatchObject({ externalIPs: ['192.168.99.22'], loadBalancerVIPs: ['1.2.3.4'] });
  });

  it('have VIP rules whatever the type of the Service is', () => {
    expect(first(service('ns/svc', { type: 'ClusterIP' }, ingress({ ip: '1.2.3.4' })))?.loadBalancerVIPs).toEqual([
      '1.2.3.4',
    ]);
  });
});

describe('load balancer source ranges', () => {
  const ranges = (...list: string[]) =>
    first(service('ns/svc', { loadBalancerSourceRanges: list }))?.loadBalancerSourceRanges;

  it('are trimmed, masked and of one family', () => {
    expect(ranges(' 203.0.113.77/25', '2001:db8::/64', '010.0.0.0/8 ')).toEqual(['203.0.113.0/25', '10.0.0.0/8']);
  });

  it('admit everything when one of them is /0', () => {
    expect(ranges('203.0.113.0/25', '1.2.3.4/0')).toEqual([]);
  });

  it('admit everything when none is valid and of the family, as in kube-proxy', () => {
    expect(ranges('2001:db8::/64', '::/0')).toEqual([]);
    expect(ranges('nonsense')).toEqual([]);
  });

  it('are not opened by a /0 of the other family', () => {
    expect(ranges('::/0', '203.0.113.0/25')).toEqual(['203.0.113.0/25']);
  });
});

describe('policies', () => {
  it.each<[string, Partial<Service['spec']>, boolean]>([
    ['a LoadBalancer', { type: 'LoadBalancer' }, true],
    ['a NodePort', { type: 'NodePort' }, true],
    ['a ClusterIP with external IPs', { type: 'ClusterIP', externalIPs: ['1.2.3.4'] }, true],
    ['a plain ClusterIP', { type: 'ClusterIP' }, false],
  ])('externalTrafficPolicy Local on %s', (_, spec, local) => {
    expect(first(service('ns/svc', { ...spec, externalTrafficPolicy: 'Local' }))?.externalPolicyLocal).toBe(local);
  });

  it('externalTrafficPolicy Local needs a type to count with external IPs', () => {
    const svc = service('ns/svc', { externalIPs: ['1.2.3.4'], externalTrafficPolicy: 'Local' });
    delete svc.spec.type;
    expect(first(svc)?.externalPolicyLocal).toBe(false);
  });

  it('affinity has the configured time, or three hours', () => {
    const sticky = (timeoutSeconds?: number) =>
      first(
        service('ns/svc', {
          sessionAffinity: 'ClientIP',
          ...(timeoutSeconds && { sessionAffinityConfig: { clientIP: { timeoutSeconds } } }),
        }),
      )?.affinitySeconds;
    expect([sticky(10), sticky(), first(service('ns/svc'))?.affinitySeconds]).toEqual([10, 10800, 0]);
  });

  it('a health check node port needs a LoadBalancer with policy Local', () => {
    const port = (spec: Partial<Service['spec']>) =>
      first(service('ns/svc', { healthCheckNodePort: 30000, ...spec }))?.healthCheckNodePort;
    expect(port({ type: 'LoadBalancer', externalTrafficPolicy: 'Local' })).toBe(30000);
    expect(port({ type: 'LoadBalancer' })).toBe(0);
    expect(port({ type: 'NodePort', externalTrafficPolicy: 'Local' })).toBe(0);
  });
});

describe('what cannot stand in a rule is left out and reported', () => {
  it.each<[string, Service, string]>([
    [
      'a name with a line break',
      service('ns/a\n-A INPUT -j DROP'),
      'Service "ns/a\\n-A INPUT -j DROP": name "ns/a\\n-A INPUT -j DROP" cannot stand in a rule; the Service is left out',
    ],
    [
      'a name with a quote',
      service('n"s/svc'),
      'Service "n\\"s/svc": name "n\\"s/svc" cannot stand in a rule; the Service is left out',
    ],
    [
      'a cluster IP that is none',
      service('ns/svc', { clusterIP: '10.0.0.1 -j ACCEPT' }),
      'Service "ns/svc": clusterIP "10.0.0.1 -j ACCEPT" is not an IPv4 address; the Service is left out',
    ],
    [
      'a cluster IP of the family that it is not listed under',
      service('ns/svc', { clusterIPs: ['fd00::1'], ipFamilies: ['IPv4'] }),
      'Service "ns/svc": clusterIP "fd00::1" is not an IPv4 address; the Service is left out',
    ],
    [
      'a port name with a blank',
      service('ns/svc', { ports: [{ name: 'a b', port: 80 }] }),
      'Service "ns/svc": ports {"name":"a b","port":80} has a name that cannot stand in a rule; the port is left out',
    ],
    [
      'a port number with a fraction',
      service('ns/svc', { ports: [{ port: 80.5 }] }),
      'Service "ns/svc": ports {"port":80.5} has a port that is not in 1..65535; the port is left out',
    ],
    [
      'a node port too high',
      service('ns/svc', { ports: [{ port: 80, nodePort: 65536 }] }),
      'Service "ns/svc": ports {"port":80,"nodePort":65536} has a nodePort that is not in 1..65535; the port is left out',
    ],
    [
      'a health check node port of 0',
      service('ns/svc', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' }),
      'Service "ns/svc": healthCheckNodePort 0 is not a port, although externalTrafficPolicy is Local',
    ],
  ])('%s', (_, svc, line) => expect(problems(svc)).toEqual([line]));
});
