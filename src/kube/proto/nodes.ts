import type { Node, NodeAddress } from '../../objects/node.ts';
import { readMeta } from './meta.ts';
import { append, ProtoReader } from './reader.ts';

type Taint = NonNullable<Node['spec']['taints']>[number];

/** core/v1 Node (field numbers: `generated.proto` of k8s.io/api/core/v1), cut like the JSON form in projections/nodes.ts. */
export function decodeNode(bytes: Buffer): Node {
  const reader = new ProtoReader(bytes);
  const { end } = reader;
  let metadata: Node['metadata'] | undefined;
  const spec: Node['spec'] = {};
  const status: Node['status'] = {};
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 1:
        metadata = readMeta(reader, reader.message(), 'Node');
        break;
      case 2:
        readSpec(reader, reader.message(), spec);
        break;
      case 3:
        readNodeStatus(reader, reader.message(), status);
        break;
      default:
        reader.skip();
    }
  }
  return { metadata: metadata ?? readMeta(reader, end, 'Node'), spec, status };
}

function readSpec(reader: ProtoReader, end: number, spec: Node['spec']): void {
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 1: {
        const podCIDR = reader.string();
        if (podCIDR !== '') spec.podCIDR = podCIDR;
        break;
      }
      case 4:
        if (reader.bool()) spec.unschedulable = true;
        break;
      case 5: {
        const [key = '', value = '', effect = ''] = readStrings(reader, reader.message(), 3);
        const taint: Taint = { key };
        if (value !== '') taint.value = value;
        if (effect !== '') taint.effect = effect;
        spec.taints = append(spec.taints, taint);
        break;
      }
      case 7:
        spec.podCIDRs = append(spec.podCIDRs, reader.string());
        break;
      default:
        reader.skip();
    }
  }
}

function readNodeStatus(reader: ProtoReader, end: number, status: Node['status']): void {
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    switch (field) {
      case 2: {
        const cpu = readCpu(reader, reader.message());
        if (cpu !== undefined) status.allocatable = { cpu };
        break;
      }
      case 4: {
        const [type = '', state = 'Unknown'] = readStrings(reader, reader.message(), 2);
        if (type === 'Ready') status.conditions = [{ type, status: state }];
        break;
      }
      case 5: {
        const [type = '', address = ''] = readStrings(reader, reader.message(), 2);
        const entry: NodeAddress = { type, address };
        status.addresses = append(status.addresses, entry);
        break;
      }
      default:
        reader.skip();
    }
  }
}

/** The quantity of an entry of a resource list, when it is the one of `cpu`. */
function readCpu(reader: ProtoReader, end: number): string | undefined {
  let key = '';
  let quantity: string | undefined;
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field === 1) key = reader.shared();
    else if (field === 2) [quantity] = readStrings(reader, reader.message(), 1);
    else reader.skip();
  }
  return key === 'cpu' ? quantity : undefined;
}

/** The string fields 1 to `count` of a message. */
function readStrings(reader: ProtoReader, end: number, count: number): (string | undefined)[] {
  const found: (string | undefined)[] = [];
  for (let field = reader.next(end); field !== 0; field = reader.next(end)) {
    if (field <= count) found[field - 1] = reader.shared();
    else reader.skip();
  }
  return found;
}
