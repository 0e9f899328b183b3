import { expect, test } from 'vitest';
import { realClock } from '../../../src/clock.ts';
import { silentLogger } from '../../../src/observe/logger.ts';
import { RuleApplier } from '../../../src/proxy/iptables/apply.ts';
import { binaryNames, parseVersion } from '../../../src/proxy/iptables/backend.ts';
import { cleanupRules } from '../../../src/proxy/iptables/cleanup.ts';
import { RealIptables } from '../../../src/proxy/iptables/runner.ts';
import { JUMP_RULES } from '../../../src/proxy/iptables/static-rules.ts';
import { createKernelLab, type KernelLab } from '../../support/kernel-lab.ts';
import { service, slice } from '../objects.ts';
import { desiredFor } from '../support.ts';
import { rulesConfig } from './clusters.ts';

/** In a user namespace iptables-nft may not raise its socket's buffer, and the kernel refuses some 800 lines in one section. */
test('without root, rules that are too many for one message to the kernel are written, changed and removed', async () => {
  let lab: KernelLab;
  let iptables: RealIptables;
  try {
    lab = await createKernelLab({ rootless: true });
  } catch (error) {
    console.log(`NOT TESTED without root: ${error instanceof Error ? error.message : error}`);
    return;
  }
  try {
    const names = binaryNames('IPv4', 'nft');
    try {
      const info = parseVersion(await lab.run(names.command, '--version'));
      iptables = new RealIptables(lab.exec, 'IPv4', names, info);
      await iptables.restore(['*nat\nCOMMIT\n*filter\nCOMMIT\n']);
    } catch (error) {
      console.log(`NOT TESTED without root: iptables-nft: ${error instanceof Error ? error.message : error}`);
      return;
    }
    const config = rulesConfig();
    const applier = new RuleApplier({ iptables, jumps: JUMP_RULES, clock: realClock, log: silentLogger });
    for (const services of [100, 1, 150]) {
      await applier.apply(clusterOf(services, config));
      expect(await applier.check(), `${services} Services`).toBeUndefined();
    }
    expect(await cleanupRules(iptables)).toMatchObject({ chainsRemoved: 150 * 11 + 9, left: [] });
  } finally {
    await lab.dispose();
  }
});

function clusterOf(services: number, config: ReturnType<typeof rulesConfig>) {
  const indexes = Array.from({ length: services }, (_, i) => i);
  const addresses = (i: number) => Array.from({ length: 10 }, (_, k) => `10.1.${i}.${k + 1}`);
  return desiredFor(
    indexes.map((i) => service(`ns1/svc${i}`, { clusterIP: `172.30.${i}.41` })),
    indexes.map((i) => slice(`ns1/svc${i}`, `s${i}`, addresses(i))),
    config,
  ).desired;
}
