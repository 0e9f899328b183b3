import { describe, expect, test } from 'vitest';
import type { Node } from '../../src/objects/node.ts';
import { OwnNode } from '../../src/proxy/own-node.ts';
import { FakeClock } from '../support/fake-clock.ts';

const node = (spec: Node['spec'], ...addresses: string[]): Node => ({
  metadata: { name: 'n1' },
  spec,
  status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
});

describe('waiting for the own Node', () => {
  test('ends at once when it says what is needed', async () => {
    const own = new OwnNode('n1', new FakeClock());
    own.onAdd(node({}, '192.168.0.2'));
    expect(await own.ready(false)).toEqual({ facts: { hostIPs: ['192.168.0.2'], podCIDRs: [], zone: '' } });
  });

  test('ends when the Node gets its addresses, and then its podCIDRs', async () => {
    const clock = new FakeClock();
    const own = new OwnNode('n1', clock);
    const ready = own.ready(true);
    own.onAdd(node({}));
    await clock.advance(20_000);
    own.onUpdate(node({}), node({}, '192.168.0.2'));
    await clock.advance(200_000);
    own.onUpdate(node({}), node({ podCIDRs: ['10.244.1.0/24'] }, '192.168.0.2'));
    expect((await ready).facts.podCIDRs).toEqual(['10.244.1.0/24']);
    expect(clock.nextTimerIn).toBeUndefined();
  });

  test('goes on without addresses after 30 s, and says so', async () => {
    const clock = new FakeClock();
    const ready = new OwnNode('n1', clock).ready(false);
    await clock.advance(30_000);
    expect(await ready).toMatchObject({ problem: 'timed out waiting for a Node "n1" to exist; going on without' });
  });

  test('fails without podCIDRs after 5 more minutes', async () => {
    const clock = new FakeClock();
    const own = new OwnNode('n1', clock);
    own.onAdd(node({}, '192.168.0.2'));
    const ready = own.ready(true);
    const failed = expect(ready).rejects.toThrow('timed out waiting for the Node "n1" to be given podCIDRs');
    await clock.advance(300_000);
    await failed;
  });
});

test('a Node that is deleted stays as it was, so that load balancers do not leave a machine that still serves', () => {
  const own = new OwnNode('n1', new FakeClock());
  own.onAdd(node({}, '192.168.0.2'));
  own.onDelete();
  expect(own.current?.status.addresses).toHaveLength(1);
});
