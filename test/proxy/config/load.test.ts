import { describe, expect, it } from 'vitest';
import { defaultProxyConfig, loadProxyConfig } from '../../../src/proxy/config/load.ts';
import { flags, HEADER, loadDocument, loadFile, loadFlags } from './support.ts';

/** The data key `config.conf` of the ConfigMap kube-proxy in kube-system, as kubeadm 1.36 writes it. */
const KUBEADM = `apiVersion: kubeproxy.config.k8s.io/v1alpha1
bindAddress: 0.0.0.0
bindAddressHardFail: false
clientConnection:
  acceptContentTypes: ""
  burst: 0
  contentType: ""
  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf
  qps: 0
clusterCIDR: 10.244.0.0/16
configSyncPeriod: 0s
conntrack:
  maxPerCore: null
  min: null
  tcpBeLiberal: false
  tcpCloseWaitTimeout: null
  tcpEstablishedTimeout: null
  udpStreamTimeout: 0s
  udpTimeout: 0s
detectLocal:
  bridgeInterface: ""
  interfaceNamePrefix: ""
detectLocalMode: ""
enableProfiling: false
healthzBindAddress: ""
hostnameOverride: ""
iptables:
  localhostNodePorts: null
  masqueradeAll: false
  masqueradeBit: null
  minSyncPeriod: 0s
  syncPeriod: 0s
ipvs:
  excludeCIDRs: null
  minSyncPeriod: 0s
  scheduler: ""
  strictARP: false
  syncPeriod: 0s
  tcpFinTimeout: 0s
  tcpTimeout: 0s
  udpTimeout: 0s
kind: KubeProxyConfiguration
logging:
  flushFrequency: 0
  options:
    json:
      infoBufferSize: "0"
    text:
      infoBufferSize: "0"
  verbosity: 0
metricsBindAddress: ""
mode: ""
nftables:
  masqueradeAll: false
  masqueradeBit: null
  minSyncPeriod: 0s
  syncPeriod: 0s
nodePortAddresses: null
oomScoreAdj: null
portRange: ""
showHiddenMetricsForVersion: ""
winkernel:
  enableDSR: false
  forwardHealthCheckVip: false
  networkName: ""
  rootHnsEndpointName: ""
  sourceVip: ""
`;

describe('a KubeProxyConfiguration file', () => {
  it('of kubeadm is read without a warning, and its empty fields mean the defaults', () => {
    const { config, warnings, file } = loadDocument(KUBEADM, { 'hostname-override': 'Node-1' });
    expect(warnings).toEqual([]);
    expect(config).toEqual({
      ...defaultProxyConfig(),
      hostnameOverride: 'node-1',
      clusterCIDR: '10.244.0.0/16',
      clientConnection: {
        ...defaultProxyConfig().clientConnection,
        kubeconfig: '/var/lib/kube-proxy/kubeconfig.conf',
      },
    });
    expect(file).toEqual({ path: '/etc/proxy.yaml', text: KUBEADM });
  });

  it('with nothing in it has the defaults of kube-proxy 1.36', () => {
    const { config, warnings } = loadFile('');
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      bindAddress: '0.0.0.0',
      healthzBindAddress: '0.0.0.0:10256',
      metricsBindAddress: '127.0.0.1:10249',
      bindAddressHardFail: false,
      enableProfiling: false,
      clientConnection: { contentType: 'application/vnd.kubernetes.protobuf', qps: 5, burst: 10 },
      configSyncPeriod: 900_000,
      mode: 'iptables',
      iptables: {
        masqueradeBit: 14,
        masqueradeAll: false,
        localhostNodePorts: true,
        syncPeriod: 30_000,
        minSyncPeriod: 1_000,
      },
      detectLocalMode: 'ClusterCIDR',
      nodePortAddresses: null,
      oomScoreAdj: -999,
      conntrack: {
        maxPerCore: 32768,
        min: 131072,
        tcpEstablishedTimeout: 86_400_000,
        tcpCloseWaitTimeout: 3_600_000,
        tcpBeLiberal: false,
        udpTimeout: 0,
        udpStreamTimeout: 0,
      },
    });
  });

  it.each([
    ['bindAddress: "::1"', { healthzBindAddress: '[::]:10256', metricsBindAddress: '[::1]:10249' }],
    ['bindAddress: 10.0.0.1', { healthzBindAddress: '0.0.0.0:10256', metricsBindAddress: '127.0.0.1:10249' }],
    [
      'healthzBindAddress: 1.2.3.4\nmetricsBindAddress: "::"',
      { healthzBindAddress: '1.2.3.4:10256', metricsBindAddress: '[::]:10249' },
    ],
    ['healthzBindAddress: 1.2.3.4:80', { healthzBindAddress: '1.2.3.4:80' }],
  ])('with %j listens where that means', (body, expected) => {
    expect(loadFile(body).config).toMatchObject(expected);
  });

  it.each([
    ['iptables:\n  syncPeriod: 0s\n  minSyncPeriod: 0s', { iptables: { syncPeriod: 30_000, minSyncPeriod: 1_000 } }],
    ['configSyncPeriod: 0s', { configSyncPeriod: 900_000 }],
    ['clientConnection: {qps: 0, burst: 0}', { clientConnection: { qps: 5, burst: 10 } }],
    ['conntrack: {maxPerCore: 0, tcpCloseWaitTimeout: 0s}', { conntrack: { maxPerCore: 0, tcpCloseWaitTimeout: 0 } }],
    ['oomScoreAdj: 0', { oomScoreAdj: 0 }],
    [
      'iptables: {masqueradeBit: 0, localhostNodePorts: false}',
      { iptables: { masqueradeBit: 0, localhostNodePorts: false } },
    ],
  ])('takes the zero in %j as upstream does', (body, expected) => {
    expect(loadFile(body).config).toMatchObject(expected);
  });

  it.each([
    ['enableProfiling: yes', { enableProfiling: true }],
    ['conntrack: {min: 010}', { conntrack: { min: 8 } }],
    ['conntrack: {min: 0x10}', { conntrack: { min: 16 } }],
    ['conntrack: {min: 1.0}', { conntrack: { min: 1 } }],
    ['hostnameOverride: 2001-01-01', { hostnameOverride: '2001-01-01' }],
    ['iptables: {<<: {masqueradeBit: 4}}', { iptables: { masqueradeBit: 4 } }],
    ['bindAddress: null', { bindAddress: '0.0.0.0' }],
  ])('is YAML 1.1: %s', (body, expected) => {
    expect(loadFile(body).config).toMatchObject(expected);
  });

  it('may be JSON', () => {
    const text = '{"apiVersion":"kubeproxy.config.k8s.io/v1alpha1","kind":"KubeProxyConfiguration","oomScoreAdj":-5}';
    expect(loadDocument(text).config.oomScoreAdj).toBe(-5);
  });

  it('with unknown and duplicate fields is read leniently, with one warning for each that names its path', () => {
    const body = 'foo: bar\nIPTables: {}\niptables:\n  bar: 1\n  masqueradeBit: 3\n  masqueradeBit: 4\n';
    const { config, warnings } = loadFile(body);
    expect(config.iptables.masqueradeBit).toBe(4);
    expect(warnings).toEqual([
      '/etc/proxy.yaml: unknown field "foo" is ignored',
      '/etc/proxy.yaml: unknown field "IPTables" is ignored',
      '/etc/proxy.yaml: unknown field "iptables.bar" is ignored',
      '/etc/proxy.yaml: field "iptables.masqueradeBit" is given twice; the one in line 8 counts',
    ]);
  });

  it('of several documents has only its first one read', () => {
    expect(loadDocument(`${HEADER}---\nfoo: bar\n`).warnings).toEqual([
      '/etc/proxy.yaml: only the first of 2 YAML documents is read',
    ]);
  });

  it.each([
    ['iptables:\n  masqueradeBit: "x"', 'iptables.masqueradeBit: "x" is not a whole number of 32 bits'],
    ['iptables:\n  masqueradeBit: 3.5', 'iptables.masqueradeBit: 3.5 is not a whole number of 32 bits'],
    ['conntrack:\n  min: 99999999999', 'conntrack.min: 99999999999 is not a whole number of 32 bits'],
    ['iptables:\n  syncPeriod: 3', 'iptables.syncPeriod: 3 is not a duration such as "30s" or "1h15m"'],
    ['iptables:\n  syncPeriod: 3h5x', 'iptables.syncPeriod: "3h5x" is not a duration such as "30s" or "1h15m"'],
    ['configSyncPeriod: ""', 'configSyncPeriod: "" is not a duration such as "30s" or "1h15m"'],
    ['iptables: []', 'iptables: [] is not a map of fields'],
    ['nodePortAddresses: 10.0.0.0/8', 'nodePortAddresses: "10.0.0.0/8" is not a list of strings'],
    ['nodePortAddresses: [1]', 'nodePortAddresses[0]: 1 is not a string'],
    ['enableProfiling: "true"', 'enableProfiling: "true" is not true or false'],
    ['clusterCIDR: 10', 'clusterCIDR: 10 is not a string'],
    ['featureGates: {A: "true"}', 'featureGates.A: "true" is not true or false'],
    ['logging: {verbosity: -1}', 'logging.verbosity: -1 is not a whole number, 0 or more'],
    ['logging: {vmodule: [{filePattern: 1}]}', 'logging.vmodule[0].filePattern: 1 is not a string'],
  ])('with a wrong type is refused: %j', (body, message) => {
    expect(() => loadFile(body)).toThrow(`/etc/proxy.yaml: ${message}`);
  });

  it('names every field of a wrong type at once', () => {
    expect(() => loadFile('mode: 1\nclusterCIDR: true')).toThrow(
      '/etc/proxy.yaml: mode: 1 is not a string; clusterCIDR: true is not a string',
    );
  });

  it.each([
    ['', '/etc/proxy.yaml is empty'],
    ['\n# nothing\n', '/etc/proxy.yaml is empty'],
    ['a: [\n', /^\/etc\/proxy.yaml is not YAML: .* at line 2, column 1/],
    ['foo', '/etc/proxy.yaml has apiVersion undefined and kind undefined'],
    ['apiVersion: v1\nkind: ConfigMap', '/etc/proxy.yaml has apiVersion "v1" and kind "ConfigMap"'],
    ['kind: KubeProxyConfiguration', '/etc/proxy.yaml has apiVersion undefined and kind "KubeProxyConfiguration"'],
  ])('that is %j is refused in one line', (text, message) => {
    expect(() => loadDocument(text)).toThrow(message);
  });

  it('that cannot be read is named', () => {
    const readFile = () => {
      throw new Error('ENOENT: no such file or directory');
    };
    expect(() => loadProxyConfig({ flags: flags({ config: '/none' }), readFile })).toThrow(
      'cannot read the configuration file /none: ENOENT: no such file or directory',
    );
  });
});

describe('beside --config', () => {
  it('flags that name a field are ignored, and said to be', () => {
    const { config, warnings } = loadFile('clusterCIDR: 10.1.0.0/16', {
      'cluster-cidr': '10.2.0.0/16',
      'proxy-mode': 'ipvs',
      'metrics-bind-address': 'nonsense',
    });
    expect(config).toMatchObject({ clusterCIDR: '10.1.0.0/16', mode: 'iptables' });
    expect(warnings).toEqual([
      '--cluster-cidr is ignored, because --config is given',
      '--proxy-mode is ignored, because --config is given',
      '--metrics-bind-address is ignored, because --config is given',
    ]);
  });

  it('logging flags win over the file', () => {
    const { config, warnings } = loadFile('logging: {verbosity: 2, format: json}', { v: '4' });
    expect(config.logging).toMatchObject({ verbosity: 4, format: 'json' });
    expect(warnings).toEqual([]);
  });

  it('--hostname-override wins over the file', () => {
    expect(loadFile('hostnameOverride: a', { 'hostname-override': ' B ' }).config.hostnameOverride).toBe('b');
    expect(loadFile('hostnameOverride: " A "').config.hostnameOverride).toBe(' A ');
  });

  it('zeros that the file has just defaulted stay defaulted when a logging flag is merged in', () => {
    expect(loadFile('iptables: {minSyncPeriod: 0s}', { v: '1' }).config.iptables.minSyncPeriod).toBe(1_000);
  });
});

describe('modes that are valid upstream but not here', () => {
  it.each([
    ['ipvs', 'mode: "ipvs" is not supported; set it to "iptables" or leave it empty'],
    ['nftables', 'mode: "nftables" is not supported yet; set it to "iptables" or leave it empty'],
  ])('%s is refused with a clear line', (mode, message) => {
    expect(() => loadFile(`mode: ${mode}`)).toThrow(message);
    expect(() => loadFlags({ 'proxy-mode': mode })).toThrow(message);
  });
});

describe('settings without an effect', () => {
  it.each([
    ['enableProfiling: true', 'enableProfiling has no effect: there are no /debug/pprof pages'],
    ['logging: {vmodule: [{filePattern: a, verbosity: 3}]}', 'logging.vmodule has no effect'],
    ['logging: {options: {text: {infoBufferSize: 1Ki}}}', 'logging.options have no effect'],
    ['featureGates: {Foo: true}', 'featureGates: "Foo" has no effect on this proxier'],
  ])('%s is accepted with a warning', (body, warning) => {
    expect(loadFile(body).warnings).toEqual([warning]);
  });
});
