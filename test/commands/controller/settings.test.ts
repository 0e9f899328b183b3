import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addControllerFlags, type ControllerFlags } from '../../../src/commands/controller/flags.ts';
import { settingsOf } from '../../../src/commands/controller/settings.ts';

/** What the command makes of its arguments. @throws as it would */
function settings(...args: string[]) {
  const command = addControllerFlags(new Command('controller'))
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  return settingsOf(command.parse(args, { from: 'user' }).opts<ControllerFlags>());
}

describe('the defaults of slicewise controller', () => {
  it('are those of kube-controller-manager for leader election, under a name of its own', () => {
    expect(settings().election).toMatchObject({
      leaseDurationMs: 15_000,
      renewDeadlineMs: 10_000,
      retryPeriodMs: 2000,
      releaseOnCancel: true,
      namespace: 'kube-system',
      name: 'slicewise-controller',
      identity: expect.stringMatching(/^.+_[0-9a-f-]{36}$/),
    });
  });

  it('limit writes as upstream does, and serve nothing', () => {
    expect(settings()).toMatchObject({
      writes: { perSecond: 20, burst: 30 },
      plain: undefined,
      secure: undefined,
    });
  });
});

describe('the flags of slicewise controller', () => {
  it.each([['--leader-elect=false'], ['--leader-elect', 'false'], ['--leader-elect=0']])(
    '%s %s turns leader election off',
    (...args) => {
      expect(settings(...args).election).toBeUndefined();
    },
  );

  it.each([['--leader-elect'], ['--leader-elect=true'], ['--leader-elect', '--kubeconfig', 'x']])(
    '%s %s %s leaves it on',
    (...args) => {
      expect(settings(...args).election).toBeDefined();
    },
  );

  it.each(['0', '-1'])('--kube-api-qps %s means no limit', (qps) => {
    expect(settings(`--kube-api-qps=${qps}`, '--kube-api-burst=0').writes).toBeUndefined();
  });

  it('say where to serve', () => {
    const args = ['--secure-port=10257', '--bind-address=::', '--tls-cert-file=c', '--tls-private-key-file=k'];
    expect(settings(...args, '--metrics-bind-address=127.0.0.1')).toMatchObject({
      plain: { host: '127.0.0.1', port: 10257 },
      secure: { address: { host: '::', port: 10257 }, files: { certFile: 'c', keyFile: 'k' } },
    });
  });

  it.each([
    [['--leader-elect-lease-duration=15'], '--leader-elect-lease-duration <duration>'],
    [['--leader-elect=maybe'], '"maybe" is neither true nor false'],
    [
      ['--leader-elect-lease-duration=10s'],
      '--leader-elect-lease-duration 10s must be longer than --leader-elect-renew-deadline 10s',
    ],
    [
      ['--leader-elect-retry-period=9s'],
      '--leader-elect-renew-deadline 10s must be longer than 1.2 times --leader-elect-retry-period 9s',
    ],
    [['--leader-elect-retry-period=-1s'], '--leader-elect-retry-period: -1s is not longer than 0'],
    [
      ['--leader-elect-resource-lock=endpoints'],
      '--leader-elect-resource-lock: "endpoints" is not supported, only "leases" is',
    ],
    [['--leader-elect-resource-name=A b'], '--leader-elect-resource-name: "A b" is not a name'],
    [['--leader-elect-resource-namespace='], '--leader-elect-resource-namespace: "" is not a name'],
    [['--kube-api-qps=many'], '"many" is not a number'],
    [['--kube-api-burst=0'], '--kube-api-burst 0 must be at least 1 with --kube-api-qps 20'],
    [['--secure-port=65536'], 'secure-port must not be more than 65535, but got 65536'],
    [['--secure-port=1', '--bind-address=localhost'], '--bind-address: "localhost" is not an IP address'],
    [['--tls-cert-file=c'], '--tls-cert-file and --tls-private-key-file belong together'],
    [
      ['--metrics-bind-address=0.0.0.0:10257'],
      '--metrics-bind-address: 0.0.0.0 is not a loopback address; --bind-address and --secure-port serve others',
    ],
    [['--authorization-always-allow-paths=/livez,metrics'], '"metrics" does not begin with a slash'],
    [['--logging-format=xml'], '--logging-format <format>'],
  ])('%j are refused, by name', (args, message) => {
    expect(() => settings(...args)).toThrow(message);
  });

  it('that do not matter without leader election are not looked at', () => {
    expect(settings('--leader-elect=false', '--leader-elect-lease-duration=1s').election).toBeUndefined();
  });
});
