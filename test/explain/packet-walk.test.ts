import { describe, expect, it } from 'vitest';
import { danglingJumps, distribution, walkPacket } from '../../src/explain/packet-walk.ts';
import type { Packet } from '../../src/explain/rule-match.ts';
import { parseRuleset } from '../../src/explain/ruleset.ts';

const BUILT_IN = {
  filter: [':INPUT ACCEPT', ':FORWARD ACCEPT', ':OUTPUT ACCEPT'],
  nat: [':PREROUTING ACCEPT', ':INPUT ACCEPT', ':OUTPUT ACCEPT', ':POSTROUTING ACCEPT'],
};

/** A kernel with built-in chains and the given lines: chain lines and rules. */
function kernel(lines: { nat?: string[]; filter?: string[] }) {
  const section = (table: 'nat' | 'filter') => [`*${table}`, ...BUILT_IN[table], ...(lines[table] ?? []), 'COMMIT'];
  return parseRuleset([...section('filter'), ...section('nat')].join('\n'));
}

const packet: Packet = {
  source: '10.0.0.2',
  destination: '172.30.0.41',
  protocol: 'TCP',
  destinationPort: 80,
  inInterface: 'veth1',
};
const facts = { localAddresses: new Set(['192.168.0.2']) };

const walk = (lines: Parameters<typeof kernel>[0], change: Partial<Packet> = {}, more = {}) =>
  walkPacket(kernel(lines), { ...packet, ...change }, { ...facts, ...more });
const shares = (...args: Parameters<typeof walk>) => Object.fromEntries(distribution(walk(...args)));

const SEP = [':SEP-A - [0:0]', ':SEP-B - [0:0]', '-A SEP-A -j DNAT --to-destination 10.1.0.1:8080'].concat([
  '-A SEP-B -j DNAT --to-destination 10.1.0.2:8080',
]);

describe('a packet', () => {
  it('that no rule is about is delivered as it is', () => {
    expect(walk({})).toEqual([
      {
        probability: 1,
        verdict: 'ACCEPT',
        destination: '172.30.0.41',
        destinationPort: 80,
        translated: false,
        masqueraded: false,
        steps: [],
        undecided: [],
      },
    ]);
  });

  it('goes both ways at a random choice', () => {
    const nat = [
      ...SEP,
      '-A PREROUTING -m statistic --mode random --probability 0.25 -j SEP-A',
      '-A PREROUTING -j SEP-B',
    ];
    expect(shares({ nat })).toEqual({ '10.1.0.1:8080': 0.25, '10.1.0.2:8080': 0.75 });
  });

  it('goes to the endpoint that knows its source', () => {
    const nat = [
      ...SEP,
      '-A PREROUTING -m recent --name SEP-A --rcheck --seconds 10 --reap -j SEP-A',
      '-A PREROUTING -m recent --rcheck --seconds 10 --reap --name SEP-B --mask 255.255.255.255 --rsource -j SEP-B',
    ];
    expect(shares({ nat })).toEqual({ '172.30.0.41:80': 1 });
    expect(shares({ nat }, {}, { recentLists: new Set(['SEP-B']) })).toEqual({ '10.1.0.2:8080': 1 });
  });

  it('keeps its port when the translation names none', () => {
    const nat = (to: string) => [`-A PREROUTING -j DNAT --to-destination ${to}`];
    expect(shares({ nat: nat('10.1.0.1') })).toEqual({ '10.1.0.1:80': 1 });
    expect(shares({ nat: nat('fd00::1') })).toEqual({ '[fd00::1]:80': 1 });
    expect(shares({ nat: nat('[fd00::1]:8080') })).toEqual({ '[fd00::1]:8080': 1 });
  });

  it('from this host enters at OUTPUT, and one to this host ends at INPUT', () => {
    const filter = ['-A INPUT -j DROP', '-A OUTPUT -j REJECT'];
    const { inInterface: _, ...own } = packet;
    expect(distribution(walkPacket(kernel({ filter }), own, facts))).toEqual(new Map([['REJECT', 1]]));
    expect(shares({ filter }, { destination: '192.168.0.2' })).toEqual({ DROP: 1 });
    expect(shares({ filter })).toEqual({ '172.30.0.41:80': 1 });
  });

  it('is not translated to a range, for that cannot be decided from here', () => {
    const [outcome] = walk({ nat: ['-A PREROUTING -j DNAT --to-destination 10.1.0.1-10.1.0.9'] });
    expect([outcome?.translated, outcome?.undecided.length]).toEqual([false, 1]);
  });

  it('is routed by its translated destination', () => {
    const nat = ['-A PREROUTING -j DNAT --to-destination 192.168.0.2:8080'];
    expect(shares({ nat, filter: ['-A INPUT -d 192.168.0.2/32 -p tcp -m tcp --dport 8080 -j DROP'] })).toEqual({
      DROP: 1,
    });
  });

  it('meets the policy of a chain that says nothing', () => {
    expect(shares({ filter: [':FORWARD DROP'] })).toEqual({ DROP: 1 });
  });

  it('comes back from a chain by its end or RETURN, but from a goto to where the chain was called', () => {
    const filter = (verb: string) => [
      ':OUTER - [0:0]',
      ':INNER - [0:0]',
      '-A FORWARD -j OUTER',
      `-A OUTER ${verb} INNER`,
      '-A OUTER -j DROP',
      '-A INNER -p tcp -j RETURN',
      '-A INNER -j REJECT',
    ];
    expect(shares({ filter: filter('-j') })).toEqual({ DROP: 1 });
    expect(shares({ filter: filter('-g') })).toEqual({ '172.30.0.41:80': 1 });
  });

  it('is masqueraded when it is marked', () => {
    const nat = (mark: string) => [
      `-A PREROUTING -j MARK ${mark}`,
      '-A POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN',
      '-A POSTROUTING -j MARK --xor-mark 0x4000',
      '-A POSTROUTING -m mark --mark 0x0/0x4000 -j MASQUERADE --random-fully',
    ];
    const masqueraded = (mark: string) => walk({ nat: nat(mark) }).map((outcome) => outcome.masqueraded);
    expect(masqueraded('--or-mark 0x4000')).toEqual([true]);
    expect(masqueraded('--set-xmark 0x4000/0x4000')).toEqual([true]);
    expect(masqueraded('--set-mark 0x4001')).toEqual([true]);
    expect(masqueraded('--or-mark 0x1')).toEqual([false]);
    expect(masqueraded('--and-mark 0xffffbfff')).toEqual([false]);
  });

  it('remembers every rule that matched, on its own way only', () => {
    const nat = [
      ...SEP,
      '-A PREROUTING -m statistic --mode random --probability 0.5 -j SEP-A',
      '-A PREROUTING -j SEP-B',
    ];
    const steps = walk({ nat }).map((outcome) =>
      outcome.steps.map((step) => `${step.chain} ${step.rule.words.at(-1)}`),
    );
    expect(steps).toEqual([
      ['PREROUTING SEP-A', 'SEP-A 10.1.0.1:8080'],
      ['PREROUTING SEP-B', 'SEP-B 10.1.0.2:8080'],
    ]);
  });

  it('passes over rules that cannot be decided from here, and says so', () => {
    const filter = [
      '-A FORWARD -m owner --uid-owner 0 -j DROP',
      '-A FORWARD -j LOG --log-prefix "x y"',
      '-A FORWARD -o eth0 -j DROP',
    ];
    const [outcome] = walk({ filter });
    expect(outcome?.verdict).toBe('ACCEPT');
    expect(outcome?.undecided.map((step) => step.rule.text)).toEqual([
      '-m owner --uid-owner 0 -j DROP',
      '-j LOG --log-prefix "x y"',
      '-o eth0 -j DROP',
    ]);
  });
});

describe('a rule matches', () => {
  const matches = (match: string, change: Partial<Packet> = {}) =>
    shares({ filter: [`-A FORWARD ${match} -j REJECT`] }, change).REJECT === 1;

  it.each<[string, boolean, Partial<Packet>?]>([
    ['-s 10.0.0.2', true],
    ['-s 10.0.0.0/8', true],
    ['! -s 10.0.0.0/8', false],
    ['-s 10.0.0.3/32', false],
    ['-d 172.30.0.41/32', true],
    ['--source 10.0.0.2/32', true],
    ['-p tcp -m tcp --dport 80', true],
    ['-m tcp -p tcp --dport 81', false],
    ['-p tcp -m tcp --dport 79:81', true],
    ['-p tcp -m tcp ! --dport 80', false],
    ['-p 6', true],
    ['-p all', true],
    ['-p udp', false],
    ['-p sctp', true, { protocol: 'SCTP' }],
    ['-i veth1', true],
    ['-i veth+', true],
    ['-i eth+', false],
    ['! -i eth0', true],
    ['-m addrtype --src-type LOCAL', false],
    ['-m addrtype --src-type LOCAL', true, { source: '192.168.0.2' }],
    ['-m addrtype --src-type LOCAL', true, { source: '127.0.0.1' }],
    ['-m addrtype ! --dst-type LOCAL', true],
    ['-m conntrack --ctstate NEW', true],
    ['-m conntrack --ctstate RELATED,ESTABLISHED', false],
    ['-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT', true],
    ['-m comment --comment "-j DROP ! -s"', true],
    ['-m nfacct --nfacct-name x', true],
    ['-s fd00::/8', true, { source: 'fd00::1' }],
    ['-s 0.0.0.0/0', true],
  ])('%s: %s', (match, expected, change = {}) => expect(matches(match, change)).toBe(expected));

  it('conntrack state DNAT once its destination was translated', () => {
    const lines = {
      nat: ['-A PREROUTING -j DNAT --to-destination 10.1.0.1:80'],
      filter: ['-A FORWARD -m conntrack --ctstate DNAT -j REJECT'],
    };
    expect(shares(lines)).toEqual({ REJECT: 1 });
  });

  it('with the other chance when a probability is negated', () => {
    const filter = ['-A FORWARD -m statistic --mode random ! --probability 0.25 -j DROP'];
    expect(shares({ filter })).toEqual({ DROP: 0.75, '172.30.0.41:80': 0.25 });
  });
});

describe('a broken ruleset', () => {
  it('is refused where a jump leads nowhere', () => {
    expect(() => walk({ nat: ['-A PREROUTING -j KUBE-SERVICES'] })).toThrow(
      'nat KUBE-SERVICES: a rule jumps to this chain, which does not exist',
    );
    expect(danglingJumps(kernel({ nat: ['-A PREROUTING -j KUBE-SERVICES'] })).map((step) => step.chain)).toEqual([
      'PREROUTING',
    ]);
  });

  it('is refused where chains call each other in a circle', () => {
    const nat = [':A - [0:0]', ':B - [0:0]', '-A PREROUTING -j A', '-A A -j B', '-A B -j A'];
    expect(() => walk({ nat })).toThrow('chains call each other in a circle');
  });
});
