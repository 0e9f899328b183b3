// Reads what `kubectl get -o json` prints, or `crictl inspect`.
//
//   look.mjs pods                       the names of the Pods that are not on their way out, comma-separated
//   look.mjs never-restarted            the Pods as pod/NAME; fails if there are none, or a container of theirs has been restarted
//   look.mjs endpoints COUNT FAMILIES   fails unless so many address families have so many ready endpoints each, and no other has any
//   look.mjs pid                        the number of a container's process on its node
import { readFileSync } from 'node:fs';

function fail(why) {
  console.error(why);
  process.exit(1);
}

const [what, count, families] = process.argv.slice(2);
const input = JSON.parse(readFileSync(0, 'utf8'));
const staying = (input.items ?? []).filter(({ metadata }) => !metadata.deletionTimestamp);
if (what === 'pods') {
  console.log(staying.map(({ metadata }) => metadata.name).join());
} else if (what === 'never-restarted') {
  if (staying.length === 0) fail('there are no such Pods');
  for (const { metadata, status } of staying) {
    const restarts = (status?.containerStatuses ?? []).map(({ restartCount }) => restartCount);
    if (restarts.some((times) => times > 0)) fail(`${metadata.name} has been restarted`);
    console.log(`pod/${metadata.name}`);
  }
} else if (what === 'endpoints') {
  const ready = {};
  for (const { addressType, endpoints } of input.items)
    ready[addressType] = (ready[addressType] ?? 0) + (endpoints ?? []).filter((e) => e.conditions?.ready).length;
  console.log(`ready endpoints: ${JSON.stringify(ready)}`);
  const found = Object.values(ready);
  if (found.length !== Number(families) || found.some((each) => each !== Number(count))) process.exit(1);
} else if (what === 'pid') {
  if (!Number.isSafeInteger(input.info?.pid)) fail('crictl names no process');
  console.log(input.info.pid);
} else {
  fail(`look.mjs knows no "${what}"`);
}
