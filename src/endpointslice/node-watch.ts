import type { Clock, Timer } from '../clock.ts';
import type { Lister, ResourceHandler } from '../kube/handler.ts';
import type { ObjectKey } from '../objects/meta.ts';
import type { Node } from '../objects/node.ts';
import type { Pod } from '../objects/pod.ts';
import { affectsShares, sameShares, type ZoneShares, zoneShares } from './hints/zone-shares.ts';
import type { SelectorIndex } from './selector-index.ts';
import { servicesOfNode, zoneChanged } from './triggers.ts';

export interface NodeWatchOptions {
  nodes: Lister<Node>;
  podsOnNode: (node: string) => Iterable<Pod>;
  index: SelectorIndex;
  clock: Clock;
  /** Zones of endpoints of these Services changed, or their node has become known. */
  onServices: (services: Iterable<ObjectKey>) => void;
  /** The zone shares are others than before. */
  onShares: (shares: ZoneShares) => void;
  followNodes: boolean;
}

/** Watches the nodes for what concerns endpoints: that they exist, their zones, and the zones' shares of CPU. */
export class NodeWatch implements ResourceHandler<Node> {
  #options: NodeWatchOptions;
  #shares: ZoneShares;
  #current = false;
  #timer: Timer | undefined;

  constructor(options: NodeWatchOptions) {
    this.#options = options;
  }

  /** Worked out when asked for, and then only if a node has changed. */
  shares(): ZoneShares {
    if (!this.#current) {
      this.#shares = zoneShares(this.#options.nodes.list());
      this.#current = true;
    }
    return this.#shares;
  }

  onAdd(node: Node, initial: boolean): void {
    this.#sharesMayDiffer();
    if (!initial) this.#tellServices(node);
  }

  onUpdate(before: Node, after: Node): void {
    if (affectsShares(before, after)) this.#sharesMayDiffer();
    if (zoneChanged(before, after)) this.#tellServices(after);
  }

  /** Pods of a node that is gone are somebody else's to clean up; until then their endpoints stay. */
  onDelete(): void {
    this.#sharesMayDiffer();
  }

  #tellServices(node: Node): void {
    const { index, podsOnNode, onServices, followNodes } = this.#options;
    if (followNodes) onServices(servicesOfNode(index, podsOnNode(node.metadata.name)));
  }

  /** A whole pool of nodes that comes up together leads to one look at the Services. */
  #sharesMayDiffer(): void {
    this.#current = false;
    this.#timer ??= this.#options.clock.setTimer(() => {
      this.#timer = undefined;
      const before = this.#shares;
      if (!sameShares(before, this.shares())) this.#options.onShares(this.#shares);
    }, 0);
  }

  stop(): void {
    this.#timer?.cancel();
  }
}
