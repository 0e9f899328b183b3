import { describe, expect, test } from 'vitest';
import {
  abandonedUdpTargets,
  type Conntrack,
  cleanUdpFlows,
  judgeUdpFlows,
  parseUdpFlow,
  type UdpFlow,
  type UdpMatch,
  type UdpTarget,
} from '../../src/proxy/conntrack.ts';
import { ConntrackProgram } from '../../src/proxy/conntrack-program.ts';
import { endpointsOfService } from '../../src/proxy/endpoints.ts';
import { type Exec, ExecError, type ExecRequest } from '../../src/proxy/exec.ts';
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

/** A table of flows in memory; remembers what it was asked to delete. */
class FakeConntrack implements Conntrack {
  flows: UdpFlow[];
  readonly asked: UdpMatch[] = [];

  constructor(flows: UdpFlow[]) {
    this.flows = flows;
  }

  async listUdp(onFlow: (flow: UdpFlow) => void): Promise<void> {
    this.flows.forEach(onFlow);
  }

  async deleteUdp(matches: readonly UdpMatch[]): Promise<number> {
    this.asked.push(...matches);
    const matched = (f: UdpFlow) =>
      matches.some((m) =>
        m.replySrc === undefined
          ? m.origDst === f.origDst && m.origDstPort === f.origDstPort
          : Object.values(m).join() === Object.values(f).join(),
      );
    const before = this.flows.length;
    this.flows = this.flows.filter((f) => !matched(f));
    return before - this.flows.length;
  }
}

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

  test('flows with the same ends are deleted once', async () => {
    const stale = flow('172.30.1.1', 53, '10.1.0.2', 5353);
    const table = new FakeConntrack([stale, { ...stale }, flow('172.30.1.1', 53, '10.1.0.1', 5353)]);
    expect(await cleanUdpFlows(table, judgeUdpFlows([target('10.1.0.1:5353')], 'IPv4'))).toBe(2);
    expect(table.asked).toEqual([stale]);
  });

  test('where no endpoint serves, all flows go by one deletion for each address, however many answered', async () => {
    const answers = Array.from({ length: 1000 }, (_, i) => `10.1.${i >> 8}.${i & 255}`);
    const other = flow('172.30.9.9', 53, '10.1.0.1', 5353);
    const table = new FakeConntrack([
      ...answers.map((ip) => flow('172.30.1.1', 53, ip, 5353)),
      ...answers.map((ip) => flow('192.168.0.2', 30053, ip, 5353)),
      other,
    ]);
    expect(await cleanUdpFlows(table, judgeUdpFlows([target()], 'IPv4'))).toBe(2000);
    expect(table.asked).toEqual([
      { origDst: '172.30.1.1', origDstPort: 53 },
      { origDst: '192.168.0.2', origDstPort: 30053 },
    ]);
    expect(table.flows).toEqual([other]);
  });

  test('nothing stale deletes nothing', async () => {
    const table = new FakeConntrack([flow('172.30.1.1', 53, '10.1.0.1', 5353)]);
    expect(await cleanUdpFlows(table, judgeUdpFlows([target('10.1.0.1:5353')], 'IPv4'))).toBe(0);
    expect(table.asked).toEqual([]);
  });
});

describe('the program conntrack', () => {
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

  const pairs = Array.from({ length: 250 }, (_, i) => flow('172.30.1.1', 53, `10.1.0.${i}`, 5353));
  const line = (f: UdpFlow) =>
    `udp 17 29 src=10.9.0.1 dst=${f.origDst} sport=1 dport=${f.origDstPort} src=${f.replySrc} dst=10.9.0.1 sport=${f.replySrcPort} dport=1\n`;

  /** Runs like conntrack-tools 1.4.7, or an older one that knows no `-R`; each deletion finds one flow. */
  function programOf({ batches, folder = true }: { batches: boolean; folder?: boolean }) {
    const requests: ExecRequest[] = [];
    const exec = async (request: ExecRequest) => {
      requests.push(request);
      const together = request.args[0] === '-R';
      if (together && !folder) throw new ExecError('NO_FILE', 'conntrack', 'no file for the input of conntrack');
      if (together && !batches) return { exitCode: 2, stdout: '', stderr: 'unknown option' };
      const commands = together ? [...(request.stdin ?? [])] : [request.args.join(' ')];
      for (const _command of commands) request.onStdout?.(line(flow('172.30.1.1', 53, '10.1.0.1', 5353)));
      return { exitCode: 0, stdout: '', stderr: '' };
    };
    return { program: new ConntrackProgram(exec, 'IPv4'), requests };
  }

  test('takes many deletions in one process, a hundred at a time', async () => {
    const { program, requests } = programOf({ batches: true });
    expect(await program.deleteUdp(pairs)).toBe(250);
    expect(requests.map((r) => [r.args.join(' '), [...(r.stdin ?? [])].length])).toEqual([
      ['-R -', 100],
      ['-R -', 100],
      ['-R -', 50],
    ]);
    expect([...(requests[0]?.stdin ?? [])][7]).toBe(
      '-D -f ipv4 -p udp --orig-dst 172.30.1.1 --orig-port-dst 53 --reply-src 10.1.0.7 --reply-port-src 5353\n',
    );
  });

  test('takes them one by one where it is too old for that', async () => {
    const { program, requests } = programOf({ batches: false });
    expect(await program.deleteUdp(pairs.slice(0, 120))).toBe(120);
    expect(requests.filter((r) => r.args[0] === '-R')).toHaveLength(1);
    expect(requests.filter((r) => r.args[0] === '-D')).toHaveLength(120);
  });

  test('takes them one by one where no folder for their list can be written to', async () => {
    const { program, requests } = programOf({ batches: true, folder: false });
    expect(await program.deleteUdp(pairs.slice(0, 120))).toBe(120);
    expect(requests.filter((r) => r.args[0] === '-D')).toHaveLength(120);
  });

  test('begins no further batch once it is to stop', async () => {
    const { program, requests } = programOf({ batches: true });
    expect(await program.deleteUdp(pairs, AbortSignal.abort())).toBe(0);
    expect(requests).toEqual([]);
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
      const flows = [
        ['172.30.1.1', 53, '10.1.0.1'],
        ['172.30.1.1', 53, '10.1.0.2'],
        ['172.30.1.1', 53, '10.1.0.2'],
        ['172.30.1.1', 53, '10.1.0.3'],
        ['172.30.9.9', 53, '10.1.0.2'],
        ['172.30.2.2', 53, '10.1.0.2'],
        ['172.30.2.2', 53, '10.1.0.4'],
        ['172.30.2.2', 54, '10.1.0.4'],
      ] as const;
      for (const [index, [ip, dport, answer]] of flows.entries()) {
        const ends = `-s 10.9.0.1 -d ${ip} --sport ${1001 + index} --dport ${dport} -r ${answer} -q 10.9.0.1`;
        const ports = `--reply-port-src 5353 --reply-port-dst ${1001 + index} -t 120`;
        await lab.run('conntrack', ...`-I -p udp ${ends} ${ports}`.split(' '));
      }
      const started: string[] = [];
      const exec: Exec = (request) => {
        started.push(request.args[0] ?? '');
        return lab.exec(request);
      };
      const conntrack = new ConntrackProgram(exec, 'IPv4');
      const without = { record: { ...record, clusterIP: '172.30.2.2' }, serving: new Set<string>() };
      expect(await cleanUdpFlows(conntrack, judgeUdpFlows([without, target('10.1.0.1:5353')], 'IPv4'))).toBe(5);
      const [, major = '0', minor = '0', patch = '0'] =
        /v(\d+)\.(\d+)\.(\d+)/.exec(await lab.run('conntrack', '--version')) ?? [];
      const together = Number(major) * 1e4 + Number(minor) * 100 + Number(patch) >= 10407;
      if (together) expect(started).toEqual(['-L', '-R']);
      const left: UdpFlow[] = [];
      await conntrack.listUdp((f) => left.push(f));
      expect(left.map((f) => `${f.origDst}:${f.origDstPort} ${f.replySrc}`).sort()).toEqual([
        '172.30.1.1:53 10.1.0.1',
        '172.30.2.2:54 10.1.0.4',
        '172.30.9.9:53 10.1.0.2',
      ]);
      const gone = [flow('172.30.1.1', 53, '10.9.9.9', 1), flow('172.30.9.9', 53, '10.1.0.2', 5354)];
      expect(await conntrack.deleteUdp(gone.slice(1))).toBe(0);
      expect(await conntrack.deleteUdp(gone)).toBe(0);
    } finally {
      await lab.dispose();
    }
  });
});
