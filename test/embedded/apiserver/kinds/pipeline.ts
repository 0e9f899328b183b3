import { cloneJson, isRecord } from '../../../../src/embedded/apiserver/json.ts';
import type { Cause, KindDefinition, RawObject, StrategyContext } from '../../../../src/embedded/apiserver/kind.ts';
import { createKinds, type KindOptions } from '../../../../src/embedded/apiserver/kinds/index.ts';

/** Thrown by `Pipeline` where the server would answer 400 or 422. */
export class Refused extends Error {
  readonly causes: Cause[];

  constructor(causes: Cause[]) {
    super(causes.map(({ field, message }) => `${field}: ${message}`).join('\n'));
    this.causes = causes;
  }
}

/** An object as a test reads it: absent members fail the assertion that reads them. */
export interface Outcome extends RawObject {
  spec: Record<string, unknown>;
  status: Record<string, unknown>;
}

/** Runs the steps of creates and updates of one server's kinds in the order that `Strategy` promises, over a plain map. */
export class Pipeline {
  readonly #kinds: KindDefinition[];
  readonly #stored = new Map<string, RawObject>();
  now = new Date('2026-01-01T00:00:00Z');
  random: () => number = () => 0;
  #uids = 0;

  constructor(options: Partial<KindOptions> = {}) {
    this.#kinds = createKinds(options);
  }

  kind(plural: string, group?: string): KindDefinition {
    const found = this.#kinds.find((kind) => kind.plural === plural && (group === undefined || kind.group === group));
    if (!found) throw new RangeError(`no kind ${plural}`);
    return found;
  }

  create(plural: string, body: Record<string, unknown>): Outcome {
    const definition = this.kind(plural);
    const object = decode(definition, { ...body, metadata: { name: 'x', ...(body.metadata as object | undefined) } });
    object.metadata.uid = `uid-${++this.#uids}`;
    object.metadata.creationTimestamp = '2026-01-01T00:00:00Z';
    const context = this.#context();
    const { strategy } = definition;
    strategy.prepareForCreate(object, context);
    strategy.setDefaults(object, context);
    this.#refuse(strategy.validate(object, context));
    this.#refuse(strategy.allocate?.(object, undefined, context) ?? []);
    return this.#store(plural, object);
  }

  update(plural: string, name: string, change: (object: Outcome) => void, subresource?: string): Outcome {
    const definition = this.kind(plural);
    const before = this.#stored.get(`${plural}/${name}`);
    if (!before) throw new RangeError(`no ${plural}/${name}`);
    const edited = cloneJson(before) as Outcome;
    change(edited);
    const object = decode(definition, edited);
    const frozen = JSON.stringify(before);
    const context = this.#context();
    const { strategy } = definition;
    strategy.setDefaults(object, context);
    strategy.prepareForUpdate(object, before, subresource, context);
    this.#refuse(strategy.validateUpdate(object, before, subresource, context));
    this.#refuse(strategy.allocate?.(object, before, context) ?? []);
    if (JSON.stringify(before) !== frozen) throw new Error('the strategy changed the stored object');
    return this.#store(plural, object);
  }

  delete(plural: string, name: string): void {
    this.#stored.delete(`${plural}/${name}`);
  }

  row(plural: string, object: RawObject): unknown[] {
    return this.kind(plural).strategy.row(object, this.now);
  }

  #store(plural: string, object: RawObject): Outcome {
    this.#stored.set(`${plural}/${object.metadata.name}`, object);
    return object as Outcome;
  }

  #refuse(causes: Cause[]): void {
    if (causes.length > 0) throw new Refused(causes);
  }

  #context(): StrategyContext {
    return {
      now: this.now,
      lookup: (plural, _namespace, name) => this.#stored.get(`${plural}/${name}`),
      list: (plural) => [...this.#stored].filter(([key]) => key.startsWith(`${plural}/`)).map(([, object]) => object),
      random: () => this.random(),
    };
  }
}

function decode(definition: KindDefinition, body: Record<string, unknown>): RawObject {
  const decoded = definition.decode(body);
  if (decoded.error !== undefined) throw new Refused([{ reason: '', message: decoded.error, field: '' }]);
  if (!isRecord(decoded.object.metadata)) throw new Error('decoding lost the metadata');
  return decoded.object;
}

/** The causes with which `act` is refused, as `field: message`; [] when it is not. */
export function refusals(act: () => unknown): string[] {
  try {
    act();
    return [];
  } catch (error) {
    if (error instanceof Refused) return error.causes.map(({ field, message }) => `${field}: ${message}`);
    throw error;
  }
}
