import { describe, expect, it } from 'vitest';
import { podChange } from '../../src/endpointslice/pod-changes.ts';
import { SelectorIndex } from '../../src/endpointslice/selector-index.ts';
import { servicesOfPodChange } from '../../src/endpointslice/triggers.ts';
import type { Pod } from '../../src/objects/pod.ts';
import { type PodParts, pod } from './support/build.ts';

const change = (before: Pod | undefined, after: Pod | undefined, watchPhase = true) =>
  podChange(before, after, { watchPhase });

describe('what is news about a Pod', () => {
  const base = pod('p', { ip: '10.0.0.1' });

  it.each<[string, Pod | undefined, Pod | undefined]>([
    ['it comes', undefined, base],
    ['it goes', base, undefined],
    ['it becomes unready', base, pod('p', { ip: '10.0.0.1', ready: false })],
    ['it begins to terminate', base, pod('p', { ip: '10.0.0.1', deleting: true })],
    ['its address changes', base, pod('p', { ip: '10.0.0.2' })],
    ['it gets a second address', base, pod('p', { ips: ['10.0.0.1', 'fd00::1'] })],
    ['it gets its first address', pod('p', { ips: [] }), base],
    ['it loses its address', base, pod('p', { ips: [] })],
    ['it is another Pod of the same name', base, pod('p', { ip: '10.0.0.1', uid: 'second' })],
    ['it runs to its end', base, pod('p', { ip: '10.0.0.1', phase: 'Succeeded' })],
  ])('%s', (_, before, after) => {
    expect(change(before, after)).toEqual({ namespace: 'shop', labels: { app: 'web' }, podChanged: true });
  });

  it.each<[string, PodParts, PodParts]>([
    ['a Pod without address comes to be scheduled', { ips: [], node: '' }, { ips: [] }],
    ['a finished Pod changes', { phase: 'Failed' }, { phase: 'Failed', ready: false }],
    ['the phase goes from pending to running', { phase: 'Pending' }, {}],
    ['a terminating Pod is updated without news', { deleting: true }, { deleting: true }],
  ])('not that %s', (_, before, after) => {
    expect(change(pod('p', before), pod('p', after))).toBeUndefined();
  });

  it('neither that a Pod without address comes or goes', () => {
    expect(change(undefined, pod('p', { ips: [] }))).toBeUndefined();
    expect(change(pod('p', { phase: 'Succeeded' }), undefined)).toBeUndefined();
    expect(change(undefined, undefined)).toBeUndefined();
  });

  it('its labels, apart from changes of its own', () => {
    const relabelled = pod('p', { ip: '10.0.0.1', labels: { app: 'db' } });
    expect(change(base, relabelled)).toMatchObject({
      labels: { app: 'db' },
      labelsBefore: { app: 'web' },
      podChanged: false,
    });
    expect(change(base, pod('p', { ip: '10.0.0.1', labels: { app: 'db' }, ready: false }))).toMatchObject({
      podChanged: true,
    });
  });

  it('is not its phase, when told to do as upstream does', () => {
    const failed = pod('p', { ip: '10.0.0.1', phase: 'Failed' });
    expect(change(base, failed, false)).toBeUndefined();
    expect(change(failed, pod('p', { ip: '10.0.0.1', phase: 'Failed', ready: false }), false)).toBeDefined();
  });
});

describe("the Services that a Pod's change concerns", () => {
  const index = new SelectorIndex();
  index.setService('shop', 'web', { app: 'web' });
  index.setService('shop', 'db', { app: 'db' });
  index.setService('shop', 'all', { team: 'x' });
  const services = (before: Pod, after: Pod) => {
    const found = change(before, after);
    return found ? [...servicesOfPodChange(index, found)].sort() : [];
  };
  const web = pod('p', { labels: { app: 'web', team: 'x' } });

  it('are those that select it', () => {
    expect(services(web, pod('p', { labels: { app: 'web', team: 'x' }, ready: false }))).toEqual([
      'shop/all',
      'shop/web',
    ]);
  });

  it('are those it leaves and joins when only its labels changed', () => {
    expect(services(web, pod('p', { labels: { app: 'db', team: 'x' } }))).toEqual(['shop/db', 'shop/web']);
  });

  it('are all of them when it changed itself as well', () => {
    expect(services(web, pod('p', { labels: { app: 'db', team: 'x' }, ready: false }))).toEqual([
      'shop/all',
      'shop/db',
      'shop/web',
    ]);
  });

  it('are none when labels changed that nobody selects by', () => {
    expect(services(web, pod('p', { labels: { app: 'web', team: 'x', version: '2' } }))).toEqual([]);
  });

  it('are those it joins when it had no labels before', () => {
    const { labels: _, ...metadata } = web.metadata;
    expect(services({ ...web, metadata }, web)).toEqual(['shop/all', 'shop/web']);
  });
});
