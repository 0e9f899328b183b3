import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addProxyFlags, givenFlags } from '../../../src/proxy/config/command-line.ts';
import { flagValue } from '../../../src/proxy/config/flag-values.ts';
import { flagSpec, PROXY_FLAGS } from '../../../src/proxy/config/flags.ts';
import { defaultProxyConfig } from '../../../src/proxy/config/load.ts';
import { configDocument } from '../../../src/proxy/config/print.ts';
import { logLevel, runOptions } from '../../../src/proxy/config/run-options.ts';
import { flags, loadFlags } from './support.ts';

function command(): Command {
  return addProxyFlags(new Command('proxier'), defaultProxyConfig())
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
}

function parse(...argv: string[]) {
  return Object.fromEntries(givenFlags(command().parse(argv, { from: 'user' })));
}

describe('the command line', () => {
  it.each([
    [['--cluster-cidr', '10.0.0.0/8'], { 'cluster-cidr': ['10.0.0.0/8'] }],
    [['--cluster-cidr=10.0.0.0/8'], { 'cluster-cidr': ['10.0.0.0/8'] }],
    [['--masquerade-all'], { 'masquerade-all': ['true'] }],
    [['--masquerade-all=false', '--profiling'], { 'masquerade-all': ['false'], profiling: ['true'] }],
    [['--profiling', '--profiling=false'], { profiling: ['false'] }],
    [['--profiling=false', '--profiling'], { profiling: ['true'] }],
    [['-v', '2'], { v: ['2'] }],
    [['-v=2'], { v: ['2'] }],
    [['--v=2'], { v: ['2'] }],
    [['--nodeport-addresses', 'a,b', '--nodeport-addresses=c'], { 'nodeport-addresses': ['a,b', 'c'] }],
    [['--metrics-bind-address='], { 'metrics-bind-address': [''] }],
    [['--oom-score-adj', '-5'], { 'oom-score-adj': ['-5'] }],
    [[], {}],
  ])('%j gives the flags as they stand', (argv, expected) => {
    expect(parse(...argv)).toEqual(expected);
  });

  it('refuses flags that kube-proxy does not have', () => {
    expect(() => parse('--cleanup-ipvs')).toThrow("unknown option '--cleanup-ipvs'");
  });

  it('shows every flag with its default in the help, except deprecated ones', () => {
    const help = command().helpInformation().replace(/\s+/g, ' ');
    expect(help).toContain('--iptables-min-sync-period <duration>');
    expect(help).toContain('(default 1s)');
    expect(help).toContain('(default 0.0.0.0:10256)');
    expect(help).not.toMatch(/--healthz-port|preset/);
  });
});

describe('the table of flags', () => {
  it('names each flag once', () => {
    const names = PROXY_FLAGS.map((flag) => flag.name);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(PROXY_FLAGS.flatMap((flag) => flag.fields.map((field) => [flag.name, field])))(
    '--%s sets %s, which is a field of the configuration',
    (_name, field) => {
      const omittedWhenEmpty = ['featureGates', 'logging.vmodule', 'splitStream'];
      let value: unknown = configDocument(defaultProxyConfig());
      for (const part of field.split('.')) value = (value as Record<string, unknown>)[part];
      if (!omittedWhenEmpty.some((name) => field.endsWith(name))) expect(value).toBeDefined();
    },
  );
});

describe('a flag', () => {
  it.each([
    [{ 'iptables-min-sync-period': '0' }, { iptables: { minSyncPeriod: 0, syncPeriod: 30_000 } }],
    [{ 'kube-api-qps': '0', 'kube-api-burst': '7' }, { clientConnection: { qps: 0, burst: 7 } }],
    [
      { 'masquerade-all': 'true', 'iptables-masquerade-bit': '3' },
      { iptables: { masqueradeAll: true, masqueradeBit: 3 } },
    ],
    [
      { 'nodeport-addresses': ['10.0.0.0/8,fd00::/8', '1.0.0.0/8'] },
      { nodePortAddresses: ['10.0.0.0/8', 'fd00::/8', '1.0.0.0/8'] },
    ],
    [
      { 'feature-gates': ['AllAlpha=true,AllBeta=false', 'AllBeta=T'] },
      { featureGates: { AllAlpha: true, AllBeta: true } },
    ],
    [{ 'hostname-override': ' FOO ' }, { hostnameOverride: 'foo' }],
    [{ 'iptables-masquerade-bit': '0x10' }, { iptables: { masqueradeBit: 16 } }],
    [{ 'oom-score-adj': '-0b101' }, { oomScoreAdj: -5 }],
    [{ 'conntrack-min': '010' }, { conntrack: { min: 8 } }],
    [{ 'kube-api-qps': '1e3' }, { clientConnection: { qps: 1000 } }],
    [{ 'bind-address': '' }, { bindAddress: '0.0.0.0' }],
    [{ 'bind-address': '::1' }, { bindAddress: '::1', healthzBindAddress: '0.0.0.0:10256' }],
    [
      { 'healthz-bind-address': '1.2.3.4', 'metrics-bind-address': '::' },
      { healthzBindAddress: '1.2.3.4:10256', metricsBindAddress: '[::]:10249' },
    ],
    [{ 'healthz-bind-address': '' }, { healthzBindAddress: '0.0.0.0:10256' }],
    [
      { 'conntrack-max-per-core': '0', 'conntrack-tcp-timeout-established': '0' },
      { conntrack: { maxPerCore: 0, tcpEstablishedTimeout: 0 } },
    ],
    [
      { 'detect-local-mode': 'BridgeInterface', 'pod-bridge-interface': 'cni0' },
      { detectLocal: { bridgeInterface: 'cni0' } },
    ],
    [
      { vmodule: 'a=3,b=2' },
      {
        logging: {
          vmodule: [
            { filePattern: 'a', verbosity: 3 },
            { filePattern: 'b', verbosity: 2 },
          ],
        },
      },
    ],
    [{ 'iptables-localhost-nodeports': 'false' }, { iptables: { localhostNodePorts: false } }],
  ])('%j sets its field, and zero means zero', (given, expected) => {
    expect(loadFlags(given).config).toMatchObject(expected);
  });

  it.each([
    ['masquerade-all', 'maybe', '"maybe" is not true or false'],
    ['iptables-masquerade-bit', 'x', '"x" is not a whole number of 32 bits'],
    ['iptables-masquerade-bit', '08', '"08" is not a whole number of 32 bits'],
    ['oom-score-adj', '9999999999', '"9999999999" is not a whole number of 32 bits'],
    ['kube-api-qps', 'many', '"many" is not a number'],
    ['config-sync-period', '5', '"5" is not a duration such as 30s or 1h15m (the unit is missing)'],
    ['bind-address', 'foo', '"foo" is not an IP address'],
    ['healthz-bind-address', ':80', '":80" is not IP:port'],
    ['metrics-bind-address', 'localhost:80', '"localhost:80" is not IP:port'],
    ['feature-gates', 'AllAlpha', '"AllAlpha" is not Name=true,Other=false'],
    ['feature-gates', 'AllAlpha=x', '"AllAlpha=x" is not Name=true or Name=false'],
    ['vmodule', 'a=b', '"a=b" is not pattern=level'],
    ['hostname-override', ' ', '" " is empty'],
  ])('--%s with %j is refused by name and value', (name, text, message) => {
    expect(() => loadFlags({ [name]: text })).toThrow(`--${name}: ${message}`);
  });

  it('is validated like the file', () => {
    expect(() => loadFlags({ 'config-sync-period': '0' })).toThrow(
      'KubeProxyConfiguration.ConfigSyncPeriod: Invalid value: "0s": must be greater than 0',
    );
  });

  it('of every kind has a reader', () => {
    for (const { name } of PROXY_FLAGS) {
      const texts: Record<string, string> = {
        bool: 'true',
        ip: '1.1.1.1',
        ipport: '1.1.1.1:1',
        duration: '1s',
        gates: 'A=true',
        vmodule: 'a=1',
      };
      expect(flagValue(flagSpec(name), [texts[flagSpec(name).kind] ?? '1'])).toBeDefined();
    }
  });
});

describe('a status server is switched off', () => {
  it.each([
    [{ 'metrics-port': '0' }, 'metricsBindAddress'],
    [{ 'metrics-bind-address': '' }, 'metricsBindAddress'],
    [{ 'healthz-port': '0' }, 'healthzBindAddress'],
  ] as const)('by %j', (given, field) => {
    expect(loadFlags(given).config[field]).toBe('');
  });

  it('by the deprecated flags only with 0, and with a warning', () => {
    const { config, warnings } = loadFlags({ 'healthz-port': '7', 'metrics-port': '8' });
    expect(config).toMatchObject({ healthzBindAddress: '0.0.0.0:10256', metricsBindAddress: '127.0.0.1:10249' });
    expect(warnings).toEqual([
      '--healthz-port is deprecated: use --healthz-bind-address instead',
      '--metrics-port is deprecated: use --metrics-bind-address instead',
    ]);
  });
});

describe('run options', () => {
  it('are read beside --config too', () => {
    expect(runOptions(flags({ config: 'f', cleanup: 'true', master: 'https://h', 'write-config-to': 'o' }))).toEqual({
      cleanup: true,
      initOnly: false,
      master: 'https://h',
      writeConfigTo: 'o',
    });
    expect(runOptions(flags({ cleanup: 'false' }))).toMatchObject({ cleanup: false, master: undefined });
  });

  it.each([
    [0, 'info'],
    [2, 'info'],
    [4, 'debug'],
    [6, 'trace'],
  ])('-v %d logs at %s', (verbosity, level) => {
    expect(logLevel(verbosity)).toBe(level);
  });
});
