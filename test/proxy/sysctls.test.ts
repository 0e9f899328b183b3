import { describe, expect, test } from 'vitest';
import {
  applyConntrackSettings,
  type ConntrackSettings,
  conntrackIsLiberal,
  ensureRouteLocalnet,
  onlineCpus,
  type SettingFiles,
  wantedConntrackMax,
} from '../../src/proxy/sysctls.ts';

const DEFAULTS: ConntrackSettings = {
  maxPerCore: 32768,
  min: 131072,
  tcpEstablishedTimeout: 86_400_000,
  tcpCloseWaitTimeout: 3_600_000,
  tcpBeLiberal: false,
  udpTimeout: 0,
  udpStreamTimeout: 0,
};
const NF = '/proc/sys/net/netfilter/nf_conntrack_';
const HASH = '/sys/module/nf_conntrack/parameters/hashsize';

/** What the kernel starts with, and what it refuses. */
function machine(values: Record<string, string>, refused: Record<string, string> = {}, readOnly: string[] = []) {
  const content: Record<string, string> = {
    [`${NF}max`]: '262144\n',
    [`${NF}tcp_timeout_established`]: '432000\n',
    [`${NF}tcp_timeout_close_wait`]: '60\n',
    [`${NF}tcp_be_liberal`]: '0\n',
    [`${NF}udp_timeout`]: '30\n',
    [`${NF}udp_timeout_stream`]: '120\n',
    [HASH]: '65536\n',
    ...values,
  };
  const writes: string[] = [];
  const failure = (code: string) => Object.assign(new Error(code), { code });
  const files: SettingFiles = {
    read(path) {
      const value = content[path];
      if (value === undefined) throw failure('ENOENT');
      return value;
    },
    write(path, value) {
      const code = refused[path];
      if (code) throw failure(code);
      writes.push(`${path.replace(NF, '')}=${value}`);
      content[path] = value;
    },
    isWritable: (path) => !readOnly.includes(path),
  };
  return { files, writes };
}

describe('conntrack settings', () => {
  test.each([
    [32768, 131072, 2, 131072],
    [32768, 131072, 8, 262144],
    [32768, 131072, 64, 1048576],
    [1, 2_000_000, 1, 1048576],
    [0, 131072, 8, undefined],
  ])('%i per core and at least %i on %i CPUs is a table of %s', (maxPerCore, min, cpus, wanted) => {
    expect(wantedConntrackMax({ maxPerCore, min }, cpus)).toBe(wanted);
  });

  test('each is written only if it differs, and zero leaves it alone', () => {
    const { files, writes } = machine({ [`${NF}tcp_timeout_close_wait`]: '3600\n' });
    expect(applyConntrackSettings(files, { ...DEFAULTS, maxPerCore: 40_000, udpTimeout: 45_900 }, 8)).toEqual([]);
    expect(writes).toEqual(['max=320000', `${HASH}=80000`, 'tcp_timeout_established=86400', 'udp_timeout=45']);
  });

  test('the hash table is never made smaller', () => {
    const { files, writes } = machine({ [`${NF}max`]: '1\n', [HASH]: '999999\n' });
    applyConntrackSettings(files, { ...DEFAULTS, tcpEstablishedTimeout: 0, tcpCloseWaitTimeout: 0 }, 2);
    expect(writes).toEqual(['max=131072']);
  });

  test('liberal is switched on when asked for, and never off', () => {
    const off = machine({ [`${NF}tcp_be_liberal`]: '1\n' });
    applyConntrackSettings(
      off.files,
      { ...DEFAULTS, maxPerCore: 0, tcpEstablishedTimeout: 0, tcpCloseWaitTimeout: 0 },
      2,
    );
    expect(off.writes).toEqual([]);
    const on = machine({});
    applyConntrackSettings(
      on.files,
      { ...DEFAULTS, maxPerCore: 0, tcpEstablishedTimeout: 0, tcpCloseWaitTimeout: 0, tcpBeLiberal: true },
      2,
    );
    expect(on.writes).toEqual(['tcp_be_liberal=1']);
  });

  test('what only the host may set is left, with a line for the log', () => {
    const { files, writes } = machine({}, {}, [`${NF}max`]);
    expect(applyConntrackSettings(files, DEFAULTS, 2)).toEqual([
      'net.netfilter.nf_conntrack_max is 262144, 131072 is configured; it can only be set on the host',
    ]);
    expect(writes).not.toContain('max=131072');
  });

  test.each([
    [
      'EROFS',
      'cannot set net.netfilter.nf_conntrack_max from 262144 to 131072: the file system is read-only (a container needs to be privileged); --conntrack-max-per-core=0 leaves it alone',
    ],
    [
      'EACCES',
      'cannot set net.netfilter.nf_conntrack_max from 262144 to 131072: permission denied (root is needed); --conntrack-max-per-core=0 leaves it alone',
    ],
  ])('a refusal (%s) is one line with the setting, both values and a way out', (code, message) => {
    const { files } = machine({}, { [`${NF}max`]: code });
    expect(() => applyConntrackSettings(files, DEFAULTS, 2)).toThrow(message);
  });

  test('a refusal does not matter when the value is right already', () => {
    const { files } = machine(
      { [`${NF}max`]: '131072\n', [`${NF}tcp_timeout_established`]: '86400', [`${NF}tcp_timeout_close_wait`]: '3600' },
      {
        [`${NF}max`]: 'EROFS',
      },
    );
    expect(applyConntrackSettings(files, DEFAULTS, 2)).toEqual([]);
  });

  test('reads whether the kernel is liberal; a kernel that does not say is not', () => {
    expect(conntrackIsLiberal(machine({ [`${NF}tcp_be_liberal`]: '1\n' }).files)).toBe(true);
    expect(conntrackIsLiberal(machine({}).files)).toBe(false);
    expect(
      conntrackIsLiberal({
        ...machine({}).files,
        read: () => {
          throw new Error('ENOENT');
        },
      }),
    ).toBe(false);
  });
});

describe('other settings', () => {
  test('route_localnet is set for NodePorts on localhost, and a refusal names the flag to do without', () => {
    const path = '/proc/sys/net/ipv4/conf/all/route_localnet';
    const { files, writes } = machine({ [path]: '0\n' });
    ensureRouteLocalnet(files);
    expect(writes).toEqual([`${path}=1`]);
    expect(() => ensureRouteLocalnet(machine({ [path]: '0\n' }, { [path]: 'EROFS' }).files)).toThrow(
      'cannot set net.ipv4.conf.all.route_localnet from 0 to 1: the file system is read-only (a container needs to be privileged); --iptables-localhost-nodeports=false does without it',
    );
  });

  test('CPUs are counted from ranges', () => {
    const { files } = machine({ '/sys/devices/system/cpu/online': '0-3,8,10-11\n' });
    expect(onlineCpus(files)).toBe(7);
  });
});
