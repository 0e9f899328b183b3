import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controllerManagerBinary, startRealControllerManager } from '../../support/real-controller-manager.ts';
import { startSlicewiseController } from '../../support/slicewise-controller.ts';
import { node } from './actions.ts';
import { Arena, namespaceOf, type Outcome, type TakeOver } from './arena/arena.ts';
import { families, type Sample, samples } from './arena/metrics-page.ts';
import type { StartController } from './arena/side.ts';
import { reports } from './comparison.ts';
import type { Scenario } from './scenario.ts';
import { ALONE, AUTO, PLAIN, RANDOM, SMALL_SLICES } from './scenarios/index.ts';

const assets = process.env.KUBEBUILDER_ASSETS ?? '';
const binary = controllerManagerBinary(assets);
if (!binary) {
  console.log(
    'skipped: "Slicewise against upstream": KUBEBUILDER_ASSETS does not name a folder with kube-controller-manager, kube-apiserver and etcd',
  );
}

type Name = 'upstream' | 'slicewise' | 'like upstream';
type ByName<T> = Record<Name, T>;

const upstream =
  (...flags: string[]): StartController =>
  (cluster) =>
    startRealControllerManager(binary ?? '', { ...cluster, flags });
const slicewise =
  (...flags: string[]): StartController =>
  ({ kubeconfig }) =>
    startSlicewiseController({ kubeconfig, flags });

const asNamed = (...flags: string[]): ByName<StartController> => ({
  upstream: upstream(...flags),
  slicewise: slicewise(...flags),
  'like upstream': slicewise('--like-upstream=all', ...flags),
});

describe.runIf(binary)('Slicewise against upstream', () => {
  let arena: Arena<Name>;
  const outcomes = new Map<string, ByName<Outcome>>();
  let pages: ByName<string>;
  /** Each on the other's slices, and each on its own again, with another limit. */
  let swapped: ByName<TakeOver>;
  let swappedBack: ByName<TakeOver>;

  beforeAll(async () => {
    arena = await Arena.open(assets, asNamed());
    await arena.prepare(['z1', 'z2', 'z3'].flatMap((zone, i) => node(`n${i + 1}`, { zone })));
    await arena.playAll(PLAIN, outcomes);
    pages = await arena.metrics();
    // Not before the pages are read: which family upstream's gauges count of a Service with two is left to chance.
    await arena.playAll(RANDOM, outcomes);
    swapped = await arena.change({ ...asNamed(), upstream: slicewise(), slicewise: upstream() });
    swappedBack = await arena.change(asNamed('--max-endpoints-per-slice=4'));
    await arena.playAll(SMALL_SLICES, outcomes);
    await arena.change(asNamed());
    for (const scenario of ALONE) {
      await arena.clear();
      outcomes.set(scenario.name, await arena.play(scenario, { alone: true }));
    }
  }, 400_000);

  afterAll(async () => {
    await arena?.close();
  });

  function outcomeOf({ name }: Scenario): ByName<Outcome> {
    const outcome = outcomes.get(name);
    if (outcome === undefined) throw new Error(`"${name}" was not played`);
    return outcome;
  }

  function sameBut(scenario: Scenario, running: 'as it comes' | 'as upstream', name: Name): void {
    const { upstream: theirs, [name]: ours } = outcomeOf(scenario);
    const compared = reports(scenario, running, { upstream: theirs, slicewise: ours });
    expect(compared.slicewise).toEqual(compared.upstream);
  }

  describe.each([...PLAIN, ...RANDOM, ...SMALL_SLICES, ...ALONE])('$name', (scenario) => {
    it('comes out the same but for the declared differences', () => sameBut(scenario, 'as it comes', 'slicewise'));
    it('comes out the same with --like-upstream=all', () => sameBut(scenario, 'as upstream', 'like upstream'));
  });

  describe('in every scenario', () => {
    it.each(SMALL_SLICES)('no ready endpoint is missing for a moment: $name', (scenario) => {
      const { slicewise: ours } = outcomeOf(scenario);
      if (ours instanceof Error) throw ours;
      expect([...ours].flatMap(([step, { gaps }]) => gaps.map((gap) => `${step}: ${gap}`))).toEqual([]);
    });

    it('no call is made that changes nothing', () => {
      const needless = ALONE.flatMap((scenario) => {
        const { slicewise: ours } = outcomeOf(scenario);
        if (ours instanceof Error) throw ours;
        return [...ours]
          .filter(([, snapshot]) => snapshot.needless === 'some')
          .map(([step]) => `${scenario.name}: ${step}`);
      });
      expect(needless).toEqual([]);
    });
  });

  describe('taking over', () => {
    /** Where slices differ in the end, there is something to put right. */
    const toPutRight = PLAIN.filter(({ steps, differs = [] }) => {
      const last = steps.at(-1)?.step ?? '';
      return differs.some(({ at, only }) => only !== 'as upstream' && at[last]?.includes('slices'));
    }).map(namespaceOf);

    it('from upstream, Slicewise writes nothing but what is declared to differ', () => {
      expect(toPutRight).toEqual(expect.arrayContaining(swapped.upstream.written));
      expect(swapped.upstream.needless).toBe(0);
    });

    /** Right after its start upstream may not have looked at the nodes yet, and then takes such hints away for a moment. */
    const withAuto = AUTO.map(namespaceOf);

    it('from Slicewise, upstream writes nothing', () => {
      expect(swapped.slicewise.written.filter((namespace) => !withAuto.includes(namespace))).toEqual([]);
    });

    it.each<Name>(['upstream', 'slicewise', 'like upstream'])('its own slices back, %s writes nothing', (name) => {
      const { written } = swappedBack[name];
      expect(name === 'upstream' ? written.filter((namespace) => !withAuto.includes(namespace)) : written).toEqual([]);
    });

    it('Slicewise makes no call that changes nothing', () => {
      expect([swappedBack.slicewise.needless, swappedBack['like upstream'].needless]).toEqual([0, 0]);
    });
  });

  describe('the page of metrics', () => {
    const PREFIXES = ['endpoint_slice_controller_', 'workqueue_'];
    const isOurs = ({ name, labels }: Sample) => !name.startsWith('workqueue_') || labels.name === 'endpoint_slice';
    const gauges = (page: string) =>
      Object.fromEntries(
        samples(page)
          .filter(({ name }) => /_(endpoints_desired|num_endpoint_slices|desired_endpoint_slices)$/.test(name))
          .map(({ name, value }) => [name, value]),
      );
    const valuesOf = (page: string, family: string, label: string) =>
      [
        ...new Set(
          samples(page)
            .filter(({ name }) => name.startsWith(family))
            .map(({ labels }) => labels[label]),
        ),
      ].sort();

    it('has the same families: names, help, types, labels and buckets', () => {
      expect(families(pages.slicewise, PREFIXES, isOurs)).toEqual(families(pages.upstream, PREFIXES, isOurs));
    });

    it.each([
      ['endpoint_slice_controller_changes', 'operation'],
      ['endpoint_slice_controller_syncs', 'result'],
      ['endpoint_slice_controller_endpointslices_changed_per_sync', 'topology'],
      ['endpoint_slice_controller_endpointslices_changed_per_sync', 'traffic_distribution'],
      ['endpoint_slice_controller_services_count_by_traffic_distribution', 'traffic_distribution'],
    ])('has the same values in %s{%s}', (family, label) => {
      expect(valuesOf(pages.slicewise, family, label)).toEqual(valuesOf(pages.upstream, family, label));
    });

    it('counts Services by traffic distribution alike', () => {
      const counts = (page: string) =>
        samples(page).filter(({ name }) => name.endsWith('_count_by_traffic_distribution'));
      expect(counts(pages.slicewise)).toEqual(counts(pages.upstream));
    });

    it('has the same gauges with --like-upstream, and counts both families without', () => {
      expect(gauges(pages['like upstream'])).toEqual(gauges(pages.upstream));
      for (const [name, value] of Object.entries(gauges(pages.slicewise))) {
        expect(value, name).toBeGreaterThan(gauges(pages.upstream)[name] ?? 0);
      }
    });
  });
});
