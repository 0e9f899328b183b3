import type { IPFamily } from '../../../src/objects/meta.ts';
import type { Transport } from './agent-protocol.ts';
import type { Draft } from './cluster.ts';
import { CROWD, crowd } from './places.ts';
import type { Destination, World } from './world.ts';

/** Who answers each of forty clients, by the client's address. What they send to a cluster IP comes in through node one. */
export async function answersByClient(
  world: World,
  draft: Draft,
  to: Destination,
  family: IPFamily,
  transport: Transport = 'TCP',
): Promise<Record<string, string>> {
  const answers = crowd(family, CROWD).map(async (from) => {
    const target = { ...world.target(draft, to, family, transport), from };
    const [first] = await world.probe('client').run('ask', { target, count: 1, parallel: 1, limitMs: 10_000 });
    return [from, first && 'by' in first.reply ? first.reply.by : JSON.stringify(first?.reply)] as const;
  });
  return Object.fromEntries(await Promise.all(answers));
}
