import { describe, expect, test } from 'vitest';
import { cutIntoSections, cutRemovals } from '../../../src/proxy/iptables/cut-sections.ts';
import { FakeIptables } from '../../../src/proxy/iptables/fake-iptables.ts';
import { type SectionSizes, writePlan } from '../../../src/proxy/iptables/section-sizes.ts';
import type { ChainContent, TableChanges, WriteSection } from '../../../src/proxy/iptables/write-plan.ts';

const content = (chain: string, rules: string[]): ChainContent => ({ chain, rules });

/** The chains of one Service as the proxier declares them: the one that chooses first. */
function unit(name: string, endpoints: number): ChainContent[] {
  const chains = Array.from({ length: endpoints }, (_, i) => `KUBE-SEP-${name}${i}`);
  return [
    content(
      `KUBE-SVC-${name}`,
      chains.map((chain) => `-j ${chain}`),
    ),
    ...chains.map((chain) => content(chain, ['-s 10.0.0.1/32 -j KUBE-MARK-MASQ', '-j ACCEPT'])),
  ];
}

const names = ['A', 'B', 'C', 'D', 'E'];
const nodePorts = content('KUBE-NODEPORTS', ['-p udp -j KUBE-SVC-A', '-p tcp -j KUBE-SVC-A']);
const services = content('KUBE-SERVICES', [...names.map((n) => `-j KUBE-SVC-${n}`), '-j KUBE-NODEPORTS']);
const changes: TableChanges = {
  filter: {
    fixed: [],
    dispatch: [{ direct: content('KUBE-EXTERNAL-SERVICES', []), adding: content('KUBE-EXTERNAL-SERVICES', []) }],
  },
  nat: {
    fixed: [content('KUBE-MARK-MASQ', [])],
    owned: names.map((name) => unit(name, 3)),
    dispatch: [{ direct: services }, { direct: nodePorts }],
    removed: [],
    emptied: [],
  },
  jumps: { filter: [], nat: ['-I PREROUTING -j KUBE-SERVICES'] },
};

const written = (sections: readonly WriteSection[]) =>
  sections.map(({ chains, edits }) => [...chains.map((c) => c.chain), ...edits].join(' '));

describe('cutting changes into sections', () => {
  test.each<[string, SectionSizes]>([
    ['all at once', { lines: 1000, dispatch: 1000 }],
    ['a few Services in each', { lines: 26, dispatch: 1000 }],
    ['the shared chains too', { lines: 26, dispatch: 2 }],
    ['less than one Service in each', { lines: 4, dispatch: 1 }],
  ])('gives the same rules, and each section stands on those before it: %s', async (_name, sizes) => {
    const whole = new FakeIptables();
    await writePlan(whole, cutIntoSections(changes, { lines: 1e9, dispatch: 1e9 }));
    const cut = new FakeIptables();
    await writePlan(cut, cutIntoSections(changes, sizes));
    expect(cut.dump()).toBe(whole.dump());
  });

  test('the chains of one Service stand in one section, and what leads to them comes after all of them', () => {
    const sections = cutIntoSections(changes, { lines: 26, dispatch: 1000 });
    expect(written(sections.slice(2))).toEqual([
      ['A', 'B'].flatMap((n) => unit(n, 3).map((c) => c.chain)).join(' '),
      ['C', 'D'].flatMap((n) => unit(n, 3).map((c) => c.chain)).join(' '),
      unit('E', 3)
        .map((c) => c.chain)
        .join(' '),
      'KUBE-SERVICES KUBE-NODEPORTS -I PREROUTING -j KUBE-SERVICES',
    ]);
  });

  test("of a Service too large for one section, the endpoints' chains come before the one that chooses among them", () => {
    const owned = [unit('A', 9)];
    const only: TableChanges = {
      ...changes,
      nat: { ...changes.nat, fixed: [], dispatch: [], owned },
      jumps: { filter: [], nat: [] },
    };
    const sections = cutIntoSections(only, { lines: 16, dispatch: 1000 }).slice(1);
    expect(sections.map((s) => s.chains.length)).toEqual([4, 5, 1]);
    expect(sections.at(-1)?.chains[0]?.chain).toBe('KUBE-SVC-A');
  });

  test('a long shared chain that packets do not reach yet is filled over several sections, and the jump to it comes last', () => {
    const sections = written(cutIntoSections(changes, { lines: 1000, dispatch: 3 }));
    expect(sections.slice(-4)).toEqual([
      'KUBE-NODEPORTS',
      'KUBE-SERVICES',
      '-A KUBE-SERVICES -j KUBE-SVC-D -A KUBE-SERVICES -j KUBE-SVC-E -A KUBE-SERVICES -j KUBE-NODEPORTS',
      '-I PREROUTING -j KUBE-SERVICES',
    ]);
  });

  test('a shared chain without rules is made all the same, before the long one that jumps to it', async () => {
    const dispatch = [{ direct: services }, { direct: content('KUBE-NODEPORTS', []) }];
    const iptables = new FakeIptables();
    await writePlan(
      iptables,
      cutIntoSections({ ...changes, nat: { ...changes.nat, dispatch } }, { lines: 1000, dispatch: 3 }),
    );
    expect(iptables.rules('nat', 'KUBE-SERVICES')).toEqual(services.rules);
    expect(iptables.rules('nat', 'KUBE-NODEPORTS')).toEqual([]);
  });

  test('chains are removed after those that jump to them, all at once where size does not matter', () => {
    const chains = ['KUBE-MARK-MASQ', 'KUBE-SEP-A', 'KUBE-SVC-A', 'KUBE-EXT-A'];
    expect(cutRemovals(chains, Number.POSITIVE_INFINITY)).toEqual([
      ['KUBE-EXT-A', 'KUBE-SVC-A', 'KUBE-SEP-A', 'KUBE-MARK-MASQ'],
    ]);
    expect(cutRemovals(chains, 4)).toEqual([
      ['KUBE-EXT-A', 'KUBE-SVC-A'],
      ['KUBE-SEP-A', 'KUBE-MARK-MASQ'],
    ]);
    expect(cutRemovals([], 4)).toEqual([]);
  });
});
