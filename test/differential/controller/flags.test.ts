import { execFile } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { controllerManagerBinary } from '../../support/real-controller-manager.ts';
import { slicewiseMain } from '../../support/slicewise-controller.ts';

const binary = controllerManagerBinary(process.env.KUBEBUILDER_ASSETS);
if (!binary)
  console.log('skipped: "flags out of range": KUBEBUILDER_ASSETS does not name a folder with kube-controller-manager');

/** What a command that is to fail says on its error output. */
function complaint(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { timeout: 15_000 }, (error, _, stderr) => {
      if (error?.code === undefined || error.code === null)
        reject(new Error(`${command} ${args.join(' ')} did not fail`));
      else resolve(stderr);
    });
  });
}

describe.runIf(binary)('flags out of range', () => {
  it.each([
    '--concurrent-service-endpoint-syncs=0',
    '--concurrent-service-endpoint-syncs=51',
    '--max-endpoints-per-slice=0',
    '--max-endpoints-per-slice=-1',
    '--max-endpoints-per-slice=1001',
  ])('%s is refused in the words of kube-controller-manager', async (flag) => {
    const theirs = await complaint(binary ?? '', ['--kubeconfig=/does/not/exist', flag]);
    const ours = await complaint(process.execPath, [slicewiseMain, 'controller', '--kubeconfig=/does/not/exist', flag]);
    const [, words] = /err="(.*)"/.exec(theirs) ?? [];
    expect(words).toContain('must not be');
    expect(ours).toBe(`slicewise: ${words}\n`);
  });

  it.each([
    '--endpointslice-updates-batch-period=-5s',
    '--min-resync-period=-1h',
    '--endpointslice-updates-batch-period=1m30s',
  ])('%s is taken by both', async (flag) => {
    const theirs = await complaint(binary ?? '', ['--kubeconfig=/does/not/exist', flag]);
    const ours = await complaint(process.execPath, [slicewiseMain, 'controller', '--kubeconfig=/does/not/exist', flag]);
    expect(theirs).toContain('no such file');
    expect(ours).toContain('no such file');
  });
});
