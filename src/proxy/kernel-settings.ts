import { existsSync } from 'node:fs';
import { messageOf } from '../kube/values.ts';
import type { Logger } from '../observe/logger.ts';
import type { KubeProxyConfiguration } from './config/types.ts';
import type { Exec } from './exec.ts';
import { effectiveLocalhostNodePorts } from './node-ports.ts';
import { applyConntrackSettings, ensureRouteLocalnet, onlineCpus, realSettingFiles } from './sysctls.ts';

/** The part of a start that needs full root rights (`--init-only`). @throws UserError naming a setting that cannot be set */
export async function prepareKernel(config: KubeProxyConfiguration, exec: Exec, logger: Logger): Promise<void> {
  await setConntrack(config, exec, logger);
  const addresses = (config.nodePortAddresses ?? []).filter((entry) => entry !== 'primary');
  const onlyPrimary = config.nodePortAddresses?.includes('primary') ?? false;
  const localhost = !onlyPrimary && effectiveLocalhostNodePorts(config.iptables.localhostNodePorts, addresses, 'IPv4');
  if (localhost) ensureRouteLocalnet(realSettingFiles);
}

/** @throws UserError naming a setting that cannot be set */
export async function setConntrack(config: KubeProxyConfiguration, exec: Exec, logger: Logger): Promise<void> {
  // Before the first rule that needs it, connection tracking may not be loaded, and then its settings do not exist.
  if (!existsSync('/proc/sys/net/netfilter/nf_conntrack_max')) {
    await exec({ command: 'modprobe', args: ['nf_conntrack'], timeoutMs: 30_000 }).catch((error: unknown) =>
      logger.debug({ err: messageOf(error) }, 'modprobe nf_conntrack'),
    );
  }
  const notes = applyConntrackSettings(realSettingFiles, config.conntrack, onlineCpus(realSettingFiles));
  for (const note of notes) logger.warn(note);
}
