import type { Clock, Timer } from '../clock.ts';
import type { ResourceHandler } from '../kube/handler.ts';
import type { Node } from '../objects/node.ts';
import { UserError } from '../user-error.ts';
import { NO_NODE, type NodeFacts, nodeFacts } from './node.ts';
import { startNodeWait, stepNodeWait } from './node-wait.ts';

/** The Node object of the machine that the proxier runs on, as the API server has it. Feed it from a reflector of that one object. */
export class OwnNode implements ResourceHandler<Node> {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  #node: Node | undefined;

  constructor(name: string, clock: Clock) {
    this.#name = name;
    this.#clock = clock;
  }

  /** As last seen; undefined when there was never one. */
  get current(): Node | undefined {
    return this.#node;
  }

  onAdd(node: Node): void {
    this.#set(node);
  }

  onUpdate(_before: Node, after: Node): void {
    this.#set(after);
  }

  /** The machine is still there, and is judged by what its Node last said, as kube-proxy does; a new Node would replace it. */
  onDelete(): void {}

  /** Returns what detaches the listener. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Waits until the Node says what the proxier needs, but not for ever. Call it when the cache is filled.
   * @returns the facts, and a line for the log when it went on without. @throws UserError where there is no going on without
   */
  ready(needsPodCIDRs: boolean): Promise<{ facts: NodeFacts; problem?: string }> {
    let wait = startNodeWait(this.#clock.monotonic());
    let timer: Timer | undefined;
    return new Promise((resolve, reject) => {
      const look = () => {
        timer?.cancel();
        const facts = this.#node && nodeFacts(this.#node);
        const now = this.#clock.monotonic();
        const step = stepNodeWait(wait, { nodeName: this.#name, facts, needsPodCIDRs, now });
        if (step.kind === 'wait') {
          wait = step.wait;
          timer = this.#clock.setTimer(look, wait.deadline - now);
          return;
        }
        detach();
        if (step.kind === 'failed') reject(new UserError(step.reason));
        else resolve({ facts: facts ?? NO_NODE, ...(step.problem !== undefined && { problem: step.problem }) });
      };
      const detach = this.onChange(look);
      look();
    });
  }

  #set(node: Node): void {
    this.#node = node;
    for (const listener of this.#listeners) listener();
  }
}
