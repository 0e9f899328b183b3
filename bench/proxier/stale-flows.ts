import { execFileSync } from 'node:child_process';
import { cleanUdpFlows, judgeUdpFlows } from '../../src/proxy/conntrack.ts';
import { ConntrackProgram } from '../../src/proxy/conntrack-program.ts';
import { realExec } from '../../src/proxy/exec.ts';
import type { KernelMeasured } from './kernel.ts';

const FLOWS = 1000;
const VIP = '10.96.0.53';

const conntrack = (args: string[]) => execFileSync('conntrack', args, { stdio: 'pipe' });
/** Through a pipe, since what Node hands to a child is a socket, which conntrack cannot open. */
const together = (input: string) => execFileSync('sh', ['-c', 'cat | conntrack -R -'], { input, stdio: 'pipe' });

/** `10.2.x.y`, one for each flow. */
const endpoint = (i: number) => `10.2.${i >> 8}.${i & 255}`;

function makeFlows(): void {
  const lines = Array.from({ length: FLOWS }, (_, i) => {
    const [client, port] = ['10.1.0.1', 1024 + i];
    return `-A -p udp -s ${client} -d ${VIP} --sport ${port} --dport 53 -r ${endpoint(i)} -q ${client} --reply-port-src 53 --reply-port-dst ${port} -t 300\n`;
  });
  together(lines.join(''));
}

/** UDP flows of a Service that goes, and flows to endpoints that go while another stays. The floor is `conntrack` alone. */
export async function staleFlows(): Promise<KernelMeasured[]> {
  const record = { clusterIP: VIP, externalIPs: [], loadBalancerVIPs: [], port: 53, nodePort: 0 };
  const to = ['-D', '-f', 'ipv4', '-p', 'udp', '--orig-dst', VIP, '--orig-port-dst', '53'];
  const rows: KernelMeasured[] = [];
  for (const [step, serving] of [
    [`${FLOWS} UDP flows of a Service that goes`, []],
    [`UDP flows to ${FLOWS} endpoints that go`, ['10.9.9.9:53']],
  ] as const) {
    makeFlows();
    const judge = judgeUdpFlows([{ record, serving: new Set(serving) }], 'IPv4');
    const start = performance.now();
    const deleted = await cleanUdpFlows(new ConntrackProgram(realExec, 'IPv4'), judge);
    const oursMs = performance.now() - start;
    if (deleted !== FLOWS) throw new Error(`${step}: ${deleted} of ${FLOWS} flows were deleted`);
    makeFlows();
    const bare = performance.now();
    conntrack(['-L', '-p', 'udp']);
    if (serving.length === 0) conntrack(to);
    else {
      const each = Array.from({ length: FLOWS }, (_, i) => [
        ...to,
        '--reply-src',
        endpoint(i),
        '--reply-port-src',
        '53',
      ]);
      together(each.map((words) => `${words.join(' ')}\n`).join(''));
    }
    rows.push({ step, floorMs: performance.now() - bare, oursMs });
  }
  return rows;
}
