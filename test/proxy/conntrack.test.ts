import { describe, expect, test } from 'vitest';
import {
  abandonedUdpTargets,
  ConntrackProgram,
  cleanUdpFlows,
  judgeUdpFlows,
  parseUdpFlow,
  type UdpFlow,
  type UdpTarget,
} from '../../src/proxy/conntrack.ts';
import { endpointsOfService } from '../../src/proxy/endpoints.ts';
import { ExecError } from '../../src/proxy/exec.ts';
import { servicePorts } from '../../src/proxy/service-ports.ts';
import { createKernelLab, type KernelLab } from '../support/kernel-lab.ts';
import { describeGolden, type GoldenCase } from './golden/load.ts';
import { service } from './objects.ts';

const record = {
  clusterIP: '172.30.1.1',
  externalIPs: ['192.168.99.100'],
  loadBalancerVIPs: ['1.2.3.4'],
  port: 53,
  nodePort: 30053,
};
const target = (...serving: string[]): UdpTarget => ({ record, serving: new Set(serving) });
const flow = (origDst: string, origDstPort: number, replySrc: string, replySrcPort: number): UdpFlow => ({
  origDst,
  origDstPort,
  replySrc,
  replySrcPort,
});

interface ConntrackCase extends GoldenCase {
  expected: GoldenCase['expected'] & {
    entries: {
      origDst: string;
      origDstPort: number;
      replySrc: string;
      replySrcPort: number;
      proto: string;
      kept: boolean;
    }[];
  };
}

describeGolden<ConntrackCase>('UDP conntrack cleanup, golden table', ['table-05'], (cases) => {
  test.each(cases.map((c) => [c.name, c] as const))('%s', (_name, { services, endpointSlices, expected }) => {
    const targets: UdpTarget[] = services.flatMap((object) => {
      const { endpoints } = endpointsOfService(endpointSlices, { ipFamily: 'IPv4', nodeName: 'test-node' });
      return [...servicePorts(object, 'IPv4').ports.values()]
        .filter((port) => port.protocol === 'UDP')
        .map((port) => ({
          record: port,
          serving: new Set((endpoints.get(port.name) ?? []).filter((e) => e.serving).map((e) => e.address)),
        }));
    });
    const judge = judgeUdpFlows(targets, 'IPv4');
    const kept = expected.entries.filter((entry) => entry.proto !== 'UDP' || !judge.isStale(entry));
    expect(kept).toEqual(expected.entries.filter((entry) => entry.kept));
  });
});

describe('judging UDP flows', () => {
  test('flows to a serving endpoint stay, to anything else go, by every address of the Service', () => {
    const judge = judgeUdpFlows([target('10.1.0.1:5353')], 'IPv4');
    for (const ip of ['172.30.1.1', '192.168.99.100', '1.2.3.4']) {
      expect(judge.isStale(flow(ip, 53, '10.1.0.1', 5353))).toBe(false);
      expect(judge.isStale(flow(ip, 53, '10.1.0.2', 5353))).toBe(true);
      expect(judge.isStale(flow(ip, 53, ip, 53)), 'from before there was an endpoint').toBe(true);
      expect(judge.isStale(flow(ip, 54, '10.1.0.2', 5353)), 'another port').toBe(false);
    }
  });

  test('a Service that lost its last serving endpoint keeps no flows', () => {
    expect(judgeUdpFlows([target()], 'IPv4').isStale(flow('172.30.1.1', 53, '10.1.0.1', 5353))).toBe(true);
  });

  test('a node port counts only on the addresses of the node, when they are known', () => {
    const judge = judgeUdpFlows([target('10.1.0.1:5353')], 'IPv4', new Set(['192.168.0.2']));
    expect(judge.isStale(flow('192.168.0.2', 30053, '10.1.0.2', 5353))).toBe(true);
    expect(judge.isStale(flow('127.0.0.1', 30053, '10.1.0.2', 5353))).toBe(true);
    expect(judge.isStale(flow('203.0.113.9', 30053, '203.0.113.9', 30053)), 'forwarded to another host').toBe(false);
  });

  test('addresses of a deleted or moved Service are abandoned, unless another has them now', () => {
    const before = servicePorts(service('ns/dns', { ports: [{ protocol: 'UDP', port: 53 }] }), 'IPv4').ports;
    const gone = abandonedUdpTargets(before, new Map());
    const stale = flow('172.30.0.41', 53, '10.1.0.1', 5353);
    expect(judgeUdpFlows(gone, 'IPv4').isStale(stale)).toBe(true);
    const successor = { record: { ...record, clusterIP: '172.30.0.41' }, serving: new Set(['10.1.0.1:5353']) };
    expect(judgeUdpFlows([...gone, successor], 'IPv4').isStale(stale)).toBe(false);
    expect(abandonedUdpTargets(before, before)).toEqual([]);
  });
});

describe('reading conntrack', () => {
  test('takes the client side from the first half of a line and the answering side from the second', () => {
    const line =
      'udp      17 29 src=10.244.1.9 dst=172.30.1.1 sport=40000 dport=53 [UNREPLIED] src=10.1.0.1 dst=10.244.1.9 sport=5353 dport=40000 mark=0 use=1';
    expect(parseUdpFlow(line)).toEqual(flow('172.30.1.1', 53, '10.1.0.1', 5353));
    const six =
      'udp      17 175 src=fd00::9 dst=fd00:172::1 sport=4 dport=53 src=fd00::1 dst=fd00::9 sport=53 dport=4 [ASSURED] mark=0 use=1';
    expect(parseUdpFlow(six)).toEqual(flow('fd00:172::1', 53, 'fd00::1', 53));
    expect(
      parseUdpFlow('tcp      6 1 src=1.1.1.1 dst=2.2.2.2 sport=1 dport=2 src=2.2.2.2 dst=1.1.1.1 sport=2 dport=1'),
    ).toBeUndefined();
    expect(parseUdpFlow('conntrack v1.4.7 (conntrack-tools): 3 flow entries have been shown.')).toBeUndefined();
  });

  test('flows with the same ends are deleted by one command', async () => {
    const deleted: UdpFlow[] = [];
    const stale = flow('172.30.1.1', 53, '10.1.0.2', 5353);
    const count = await cleanUdpFlows(
      {
        listUdp: async (onFlow) => [stale, { ...stale }, flow('172.30.1.1', 53, '10.1.0.1', 5353)].forEach(onFlow),
        deleteUdp: async (f) => deleted.push(f) + 1,
      },
      judgeUdpFlows([target('10.1.0.1:5353')], 'IPv4'),
    );
    expect(deleted).toEqual([stale]);
    expect(count).toBe(2);
  });

  test('a missing program is an error that says what to install', async () => {
    const conntrack = new ConntrackProgram(
      () => Promise.reject(new ExecError('NOT_FOUND', 'conntrack', 'conntrack is not installed')),
      'IPv4',
    );
    await expect(conntrack.listUdp(() => {})).rejects.toMatchObject({
      missing: true,
      message: expect.stringContaining('apt-get install -y conntrack'),
    });
  });

  test('in a real kernel stale flows go and the others stay', async () => {
    let lab: KernelLab;
    try {
      lab = await createKernelLab();
      await lab.run('conntrack', '-L');
    } catch (error) {
      console.log(`NOT TESTED in a real kernel: conntrack: ${error instanceof Error ? error.message : error}`);
      return;
    }
    try {
      const add = (ip: string, port: string, answer: string) =>
        lab.run(
          'conntrack',
          '-I',
          '-p',
          'udp',
          '-s',
          '10.9.0.1',
          '-d',
          ip,
          '--sport',
          port,
          '--dport',
          '53',
          '-r',
          answer,
          '-q',
          '10.9.0.1',
          '--reply-port-src',
          '5353',
          '--reply-port-dst',
          port,
          '-t',
          '120',
        );
      await add('172.30.1.1', '1001', '10.1.0.1');
      await add('172.30.1.1', '1002', '10.1.0.2');
      await add('172.30.1.1', '1003', '10.1.0.2');
      await add('172.30.9.9', '1004', '10.1.0.2');
      const conntrack = new ConntrackProgram(lab.exec, 'IPv4');
      expect(await cleanUdpFlows(conntrack, judgeUdpFlows([target('10.1.0.1:5353')], 'IPv4'))).toBe(2);
      const left: UdpFlow[] = [];
      await conntrack.listUdp((f) => left.push(f));
      expect(left.map((f) => `${f.origDst} ${f.replySrc}`).sort()).toEqual([
        '172.30.1.1 10.1.0.1',
        '172.30.9.9 10.1.0.2',
      ]);
      expect(await conntrack.deleteUdp(flow('172.30.1.1', 53, '10.9.9.9', 1))).toBe(0);
    } finally {
      await lab.dispose();
    }
  });
});
