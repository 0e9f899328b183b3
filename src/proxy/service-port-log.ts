import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../observe/logger.ts';
import type { TakenServices } from './service-changes.ts';
import type { ServicePortRecord } from './service-ports.ts';

/** A debugging line for each service port that came, changed or went: what people look for in kube-proxy's log by its name. */
export function logServicePorts(log: Logger, taken: TakenServices): void {
  if (!log.isLevelEnabled('debug')) return;
  for (const { before, after } of taken.values()) {
    for (const [name, record] of after) {
      const known = before.get(name);
      if (!known) log.debug(fieldsOf(record), 'service port added');
      else if (!isDeepStrictEqual(known, record)) log.debug(fieldsOf(record), 'service port changed');
    }
    for (const [name, record] of before) if (!after.has(name)) log.debug(fieldsOf(record), 'service port removed');
  }
}

function fieldsOf({ display, clusterIP, port, protocol, nodePort }: ServicePortRecord): object {
  return { servicePort: display, clusterIP, port, protocol, ...(nodePort > 0 && { nodePort }) };
}
