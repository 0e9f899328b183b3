import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, TestCluster } from './support/cluster.ts';

const main = new URL('../../src/main.ts', import.meta.url).pathname;

interface Run {
  child: ChildProcess;
  output: () => string;
  exit: Promise<number | null>;
}

const running = new Set<ChildProcess>();

function controller(...args: string[]): Run {
  const child = spawn(process.execPath, [main, 'controller', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, output: () => output, exit };
}

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});

describe('slicewise controller as a process', () => {
  let cluster: TestCluster;

  beforeEach(async () => {
    cluster = await TestCluster.start();
  });

  afterEach(async () => {
    await cluster.stop();
  });

  it('says when it is synced, writes slices, serves metrics, and ends with 0 on SIGTERM', async () => {
    await cluster.node('node-a');
    await cluster.service('web');
    await cluster.pod('web', { name: 'a', ips: ['10.0.0.1'] });
    const run = controller('--kubeconfig', cluster.kubeconfig, '--metrics-bind-address', '127.0.0.1:0');
    await eventually(async () => expect(run.output()).toContain('"msg":"controller synced"'));
    await eventually(async () => expect(await cluster.endpoints('web')).toEqual(['a']));
    const port = /"port":(\d+)/.exec(run.output())?.[1];
    const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(page).toContain('endpoint_slice_controller_changes{operation="create"} 1');
    expect(page).toContain('workqueue_depth{name="endpoint_slice"} 0');
    run.child.kill('SIGTERM');
    expect(await run.exit).toBe(0);
    expect(run.output()).toContain('"msg":"controller stopped"');
  });

  it('can be told to end before it is synced', async () => {
    cluster.api.faults.delayNext(20, { verb: ['list', 'watch'] }, 60_000);
    const run = controller('--kubeconfig', cluster.kubeconfig);
    await eventually(async () => expect(run.output()).toContain('"msg":"controller starting"'));
    run.child.kill('SIGTERM');
    expect(await run.exit).toBe(0);
  });

  it('names a metrics port that is in use', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const run = controller('--kubeconfig', cluster.kubeconfig, '--metrics-bind-address', `127.0.0.1:${port}`);
    expect(await run.exit).toBe(1);
    expect(run.output()).toContain(`slicewise: cannot serve metrics on 127.0.0.1:${port}: the port is in use\n`);
    await new Promise((resolve) => taken.close(resolve));
  });

  it('names a server that cannot be reached, in one line', async () => {
    const run = controller('--kubeconfig', cluster.kubeconfig, '--master', 'http://127.0.0.1:1');
    expect(await run.exit).toBe(1);
    expect(run.output()).toMatch(/^slicewise: cannot talk to the API server at http:\/\/127\.0\.0\.1:1 .*\n$/);
  });
});

describe('the flags of slicewise controller', () => {
  it.each([
    [
      ['--concurrent-service-endpoint-syncs', '0'],
      'concurrent-service-endpoint-syncs must not be less than 1, but got 0',
    ],
    [
      ['--concurrent-service-endpoint-syncs=51'],
      'concurrent-service-endpoint-syncs must not be more than 50, but got 51',
    ],
    [['--max-endpoints-per-slice', '0'], 'max-endpoints-per-slice must not be less than 1, but got 0'],
    [['--max-endpoints-per-slice', '1001'], 'max-endpoints-per-slice must not be more than 1000, but got 1001'],
    [['--max-endpoints-per-slice', 'many'], '"many" is not a whole number'],
    [['--endpointslice-updates-batch-period', '5'], '"5" is not a duration'],
    [['--min-resync-period', '12hours'], '"12hours" is not a duration'],
    [['--like-upstream', 'retries,magic'], '"magic" is not one of retries'],
    [['--kubeconfig', '/does/not/exist'], '/does/not/exist'],
  ])('%j are refused in one line', async (args, message) => {
    const run = controller(...args);
    expect(await run.exit).not.toBe(0);
    expect(run.output()).toContain(message);
    expect(run.output().trimEnd().split('\n')).toHaveLength(1);
  });
});
