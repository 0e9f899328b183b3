// Reads what `kubectl get -o json` prints.
//
//   look.mjs pods              the names of the Pods that are not on their way out, comma-separated
//   look.mjs endpoints COUNT   fails unless there are slices, each with so many ready endpoints
import { readFileSync } from 'node:fs';

const [what, count] = process.argv.slice(2);
const { items } = JSON.parse(readFileSync(0, 'utf8'));
if (what === 'pods') {
  console.log(items.flatMap(({ metadata }) => (metadata.deletionTimestamp ? [] : [metadata.name])).join());
} else {
  const ready = items.map(({ endpoints }) => (endpoints ?? []).filter(({ conditions }) => conditions?.ready).length);
  console.log(`ready endpoints: ${ready.join() || 'no slices'}`);
  if (ready.length === 0 || ready.some((found) => found !== Number(count))) process.exit(1);
}
