import { hostname } from 'node:os';
import type { Registry } from 'prom-client';
import { type Clock, type Random, realClock } from '../clock.ts';
import type { KubeClient } from '../kube/client.ts';
import { createEventRecorder, type EventRecorder } from '../kube/events.ts';
import { ENDPOINT_SLICES, NODES, PODS, SERVICES } from '../kube/projections.ts';
import { Reflector, type ReflectorStatus } from '../kube/reflector.ts';
import { resourceClient } from '../kube/typed.ts';
import { writesOf } from '../kube/writes.ts';
import type { Logger } from '../observe/logger.ts';
import { EndpointSliceController, POD_INDEXERS, SLICE_INDEXERS } from './controller.ts';
import type { ControllerOptions } from './options.ts';
import { serviceEvents } from './recorder.ts';
import type { SliceClient } from './slice-client.ts';

export interface AssemblyParts {
  client: KubeClient;
  logger: Logger;
  registry: Registry;
  options: ControllerOptions;
  /** Puts something between the controller and its writes. */
  writes?: (client: SliceClient) => SliceClient;
  clock?: Clock;
  random?: Random;
}

export interface Assembly {
  controller: EndpointSliceController;
  /** To be stopped after the controller. */
  events: EventRecorder;
  /** For status pages: the controller starts and stops them. */
  caches: Readonly<Record<string, { status(): ReflectorStatus }>>;
}

/** Puts a controller together that works on an API server. */
export function assembleController(parts: AssemblyParts): Assembly {
  const { client, logger, registry, options, clock = realClock, random = Math.random } = parts;
  // The component's name is upstream's, so that events look alike whoever wrote them.
  const reporter = { component: 'endpoint-slice-controller', host: hostname() };
  const events = createEventRecorder({ client, reporter, logger, clock });
  const common = { client, logger, clock, random };
  const sources = {
    services: new Reflector({ ...common, resource: SERVICES }),
    pods: new Reflector({ ...common, resource: PODS, indexers: POD_INDEXERS }),
    nodes: new Reflector({ ...common, resource: NODES }),
    slices: new Reflector({ ...common, resource: ENDPOINT_SLICES, indexers: SLICE_INDEXERS }),
  };
  const { writes = (unchanged) => unchanged } = parts;
  const controller = new EndpointSliceController({
    sources,
    client: writes(sliceClient(client)),
    events: serviceEvents(events),
    clock,
    random,
    logger,
    registry,
    options,
  });
  const { slices: endpointslices, ...others } = sources;
  return { controller, events, caches: { ...others, endpointslices } };
}

function sliceClient(client: KubeClient): SliceClient {
  const slices = resourceClient(client, ENDPOINT_SLICES);
  return {
    ...writesOf(client, ENDPOINT_SLICES),
    get: (namespace, name) => slices.get(namespace, name),
    delete: ({ metadata: { namespace, name, uid } }) =>
      slices.delete(namespace, name, uid === undefined ? {} : { preconditions: { uid } }),
  };
}
