import { describe, expect, it } from 'vitest';
import { configYaml, configz } from '../../../src/proxy/config/print.ts';
import { loadDocument, loadFile } from './support.ts';

describe('a printed configuration', () => {
  it('is the same after reading it again', () => {
    const body =
      'featureGates: {AllAlpha: false}\nclusterCIDR: 10.0.0.0/8\nbindAddress: "::1"\nnodePortAddresses: [primary]\n' +
      'hostnameOverride: "1.5"\niptables: {minSyncPeriod: 1.5s}\nlogging: {vmodule: [{filePattern: a, verbosity: 1}]}';
    const { config } = loadFile(body);
    expect(loadDocument(configYaml(config)).config).toEqual(config);
  });

  it('as YAML has sorted keys, Go durations, nulls for lists that are not set, and quotes where kube-proxy puts them', () => {
    const lines = configYaml(loadFile('bindAddress: "::1"\nhostnameOverride: "1.5"').config).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'apiVersion: kubeproxy.config.k8s.io/v1alpha1',
        'bindAddress: ::1',
        'clusterCIDR: ""',
        'configSyncPeriod: 15m0s',
        '  tcpEstablishedTimeout: 24h0m0s',
        "healthzBindAddress: '[::]:10256'",
        'hostnameOverride: "1.5"',
        '      infoBufferSize: "0"',
        'nodePortAddresses: null',
      ]),
    );
    const keys = lines.filter((line) => /^\w/.test(line));
    expect(keys).toEqual([...keys].sort());
  });

  it('shows periods and masqueradeAll of the mode in use only', () => {
    const { nftables, ipvs } = loadFile(
      'nftables: {masqueradeAll: true, syncPeriod: 5s}\nipvs: {syncPeriod: 5s}',
    ).config;
    expect(nftables).toMatchObject({ masqueradeAll: false, syncPeriod: 0, minSyncPeriod: 0 });
    expect(ipvs.syncPeriod).toBe(0);
  });

  it('as configz stands below the API group, with kind and apiVersion, in the order of the API', () => {
    const page = configz(loadFile('featureGates: {AllAlpha: false}\nwindowsRunAsService: true').config);
    const object = page['kubeproxy.config.k8s.io'] as Record<string, unknown>;
    expect(Object.keys(object)).toEqual([
      'kind',
      'apiVersion',
      'featureGates',
      'clientConnection',
      'logging',
      'hostnameOverride',
      'bindAddress',
      'healthzBindAddress',
      'metricsBindAddress',
      'bindAddressHardFail',
      'enableProfiling',
      'showHiddenMetricsForVersion',
      'mode',
      'iptables',
      'ipvs',
      'nftables',
      'winkernel',
      'detectLocalMode',
      'detectLocal',
      'clusterCIDR',
      'nodePortAddresses',
      'oomScoreAdj',
      'conntrack',
      'configSyncPeriod',
      'portRange',
      'windowsRunAsService',
    ]);
    expect(object.iptables).toEqual({
      masqueradeBit: 14,
      masqueradeAll: false,
      localhostNodePorts: true,
      syncPeriod: '30s',
      minSyncPeriod: '1s',
    });
  });

  it('leaves out what is empty and optional', () => {
    const object = configz(loadFile('').config)['kubeproxy.config.k8s.io'] as Record<string, unknown>;
    expect(object).not.toHaveProperty('featureGates');
    expect(object).not.toHaveProperty('windowsRunAsService');
    expect(object.logging).not.toHaveProperty('vmodule');
  });
});
