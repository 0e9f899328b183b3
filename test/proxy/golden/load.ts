import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe } from 'vitest';
import type { EndpointSlice } from '../../../src/objects/endpointslice.ts';
import type { IPFamily } from '../../../src/objects/meta.ts';
import type { Service } from '../../../src/objects/service.ts';
import { DEFAULT_FEATURE_GATES, type LocalDetector, type ProxyRulesConfig } from '../../../src/proxy/config-types.ts';

const GOLDEN = new URL('../../../../shared/golden/', import.meta.url);
const KERNEL_SAVE = new URL('../../../../shared/golden-kernel-save/', import.meta.url);

/** The `config` of a golden case, as its README describes it. */
export interface GoldenConfig {
  ipFamily: IPFamily;
  nodeName: string;
  nodeIP: string;
  masqueradeMark: string;
  masqueradeAll: boolean;
  localDetector: LocalDetector | null;
  localhostNodePorts: boolean;
  nodePortAddresses: string[];
  nodeAddresses: string[];
  randomFully: boolean;
  conntrackTCPLiberal: boolean;
  topologyLabels: Record<string, string>;
  nfacctCounters: Record<string, boolean>;
}

export interface GoldenCase {
  name: string;
  config: GoldenConfig;
  services: Service[];
  endpointSlices: EndpointSlice[];
  expected: Record<string, unknown> & { kind: string };
}

/**
 * A suite over the cases whose file name starts with one of the prefixes; where there are no golden files it says so on the
 * console and has no tests.
 */
export function describeGolden<T extends GoldenCase = GoldenCase>(
  title: string,
  prefixes: string[],
  suite: (cases: T[]) => void,
): void {
  const there = existsSync(GOLDEN);
  if (!there) console.warn(`golden cases ${prefixes.join(', ')} not checked: ${GOLDEN.pathname} does not exist`);
  describe.runIf(there)(title, () => suite(there ? goldenCases<T>(...prefixes) : []));
}

function goldenCases<T extends GoldenCase>(...prefixes: string[]): T[] {
  return readdirSync(GOLDEN)
    .filter((file) => file.endsWith('.json') && prefixes.some((prefix) => file.startsWith(prefix)))
    .sort()
    .map((file) => JSON.parse(readFileSync(new URL(file, GOLDEN), 'utf8')) as T);
}

/** What iptables-save printed after a case was loaded into a kernel; `undefined` where it was not tried. */
export function kernelSave(name: string): string | undefined {
  const file = new URL(`${name}.txt`, KERNEL_SAVE);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

export function rulesConfig(golden: GoldenConfig): ProxyRulesConfig {
  const { topologyLabels, nfacctCounters, localDetector, ...same } = golden;
  return {
    ...same,
    zone: topologyLabels['topology.kubernetes.io/zone'] ?? '',
    localDetector: localDetector ?? undefined,
    nfacctCounters: {
      ctStateInvalidDropped: nfacctCounters.ct_state_invalid_dropped_pkts ?? false,
      localhostNodePortsAccepted: nfacctCounters.localhost_nps_accepted_pkts ?? false,
    },
    featureGates: DEFAULT_FEATURE_GATES,
  };
}
