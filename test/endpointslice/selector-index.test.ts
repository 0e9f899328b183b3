import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SelectorIndex } from '../../src/endpointslice/selector-index.ts';
import { type Labels, ServiceSelectors } from '../../src/endpointslice/service-selectors.ts';
import type { Pod } from '../../src/objects/pod.ts';
import { pod } from './support/build.ts';

const labelled = (name: string, labels: Record<string, string>, namespace = 'shop'): Pod =>
  pod(name, { labels, namespace });
const names = (pods: Iterable<Pod>) => [...pods].map((p) => p.metadata.name).sort();

describe('the selector index', () => {
  it('finds the Services that select a Pod, and the Pods of a Service', () => {
    const index = new SelectorIndex();
    index.setService('shop', 'web', { app: 'web' });
    index.setService('shop', 'front', { app: 'web', tier: 'front' });
    index.setService('shop', 'db', { app: 'db' });
    index.setPod(labelled('a', { app: 'web' }));
    index.setPod(labelled('b', { app: 'web', tier: 'front' }));
    expect(index.servicesFor('shop', { app: 'web' })).toEqual(['shop/web']);
    expect(index.servicesFor('shop', { app: 'web', tier: 'front' }).sort()).toEqual(['shop/front', 'shop/web']);
    expect(names(index.podsOf('shop', 'web'))).toEqual(['a', 'b']);
    expect(names(index.podsOf('shop', 'front'))).toEqual(['b']);
    expect(names(index.podsOf('shop', 'db'))).toEqual([]);
  });

  it('keeps namespaces apart', () => {
    const index = new SelectorIndex();
    index.setService('shop', 'web', { app: 'web' });
    index.setPod(labelled('a', { app: 'web' }, 'other'));
    expect(names(index.podsOf('shop', 'web'))).toEqual([]);
    expect(index.servicesFor('other', { app: 'web' })).toEqual([]);
  });

  it('takes a Service without selector, or with an empty one, to select nothing', () => {
    const index = new SelectorIndex();
    index.setService('shop', 'web', {});
    index.setPod(labelled('a', { app: 'web' }));
    expect(names(index.podsOf('shop', 'web'))).toEqual([]);
    expect(index.servicesFor('shop', { app: 'web' })).toEqual([]);
  });

  it('gives the Pod as it is now', () => {
    const index = new SelectorIndex();
    index.setService('shop', 'web', { app: 'web' });
    index.setPod(labelled('a', { app: 'web' }));
    expect(names(index.podsOf('shop', 'web'))).toEqual(['a']);
    const changed = pod('a', { ready: false });
    index.setPod(changed);
    expect(index.podsOf('shop', 'web')).toEqual([changed]);
  });

  it('does not look at Services that share only a pair which all of them have', () => {
    const selectors = new ServiceSelectors();
    for (let i = 0; i < 2000; i++) selectors.set(`s${i}`, { 'part-of': 'shop', app: `app-${i}` });
    let looked = 0;
    const labels: Labels = new Proxy(
      { 'part-of': 'shop', app: 'app-7' },
      {
        get(target, key) {
          looked++;
          return Reflect.get(target, key);
        },
      },
    );
    expect(selectors.matching(labels)).toEqual(['s7']);
    expect(looked).toBeLessThan(50);
  });

  it('agrees with going through everything, whatever comes and goes, and however little it may remember', () => {
    const labels = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'), {
      maxKeys: 3,
      noNullPrototype: true,
    });
    const operation = fc.oneof(
      fc.record({
        op: fc.constant('service' as const),
        n: fc.nat(11),
        selector: fc.option(labels, { nil: undefined }),
      }),
      fc.record({ op: fc.constant('pod' as const), n: fc.nat(9), labels }),
      fc.record({ op: fc.constant('gone' as const), n: fc.nat(9) }),
      fc.record({ op: fc.constant('look' as const), n: fc.nat(11) }),
    );
    const matches = (selector: Labels, of: Labels) => Object.entries(selector).every(([k, v]) => of[k] === v);
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 120 }), fc.constantFrom(1, 3, 100), (operations, remembered) => {
        const index = new SelectorIndex(remembered);
        const services = new Map<string, Labels>();
        const pods = new Map<string, Labels>();
        const look = (service: string) => {
          const selector = services.get(service);
          const expected = selector
            ? [...pods]
                .filter(([, of]) => matches(selector, of))
                .map(([name]) => name)
                .sort()
            : [];
          expect(names(index.podsOf('shop', service))).toEqual(expected);
        };
        for (const operation of operations) {
          const { n } = operation;
          if (operation.op === 'service') {
            index.setService('shop', `s${n}`, operation.selector);
            if (operation.selector && Object.keys(operation.selector).length > 0)
              services.set(`s${n}`, operation.selector);
            else services.delete(`s${n}`);
          } else if (operation.op === 'pod') {
            index.setPod(labelled(`p${n}`, operation.labels));
            pods.set(`p${n}`, operation.labels);
            const expected = [...services]
              .filter(([, selector]) => matches(selector, operation.labels))
              .map(([name]) => `shop/${name}`);
            expect(index.servicesFor('shop', operation.labels).sort()).toEqual(expected.sort());
          } else if (operation.op === 'gone') {
            index.removePod('shop', `p${n}`);
            pods.delete(`p${n}`);
          } else look(`s${n}`);
        }
        for (let i = 0; i < 12; i++) look(`s${i}`);
      }),
      { numRuns: 300 },
    );
  });
});
