import type { Cause } from '../../kind.ts';
import { eachInvalid, forbidden, invalid, notSupported, required } from '../validation/causes.ts';
import { portName, portNumber } from '../validation/names.ts';
import type { Handler, Probe } from './types.ts';

const handlers = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const;
const schemes = ['HTTP', 'HTTPS'];
const numbers = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const;

/** @param mustSucceedOnce liveness and startup: one success is enough */
export function validateProbe(probe: Probe, at: string, mustSucceedOnce: boolean): Cause[] {
  const causes = validateHandler(probe, at);
  for (const name of numbers) {
    const value = probe[name] ?? 0;
    if (value < 0) causes.push(invalid(`${at}.${name}`, value, 'must be greater than or equal to 0'));
  }
  const { successThreshold = 1 } = probe;
  if (mustSucceedOnce && successThreshold > 1) {
    causes.push(invalid(`${at}.successThreshold`, successThreshold, 'must be 1'));
  }
  return causes;
}

export function validateHandler(handler: Handler, at: string): Cause[] {
  const [first, ...others] = handlers.filter((name) => handler[name] !== undefined);
  if (first === undefined) return [required(at, 'must specify a handler type')];
  return [
    ...validateAction(handler, first, at),
    ...others.map((name) => forbidden(`${at}.${name}`, 'may not specify more than 1 handler type')),
  ];
}

function validateAction(handler: Handler, name: (typeof handlers)[number], at: string): Cause[] {
  const { exec, httpGet, tcpSocket, grpc } = handler;
  switch (name) {
    case 'exec':
      return exec?.command?.length ? [] : [required(`${at}.exec.command`)];
    case 'httpGet':
      return [
        ...validatePort(httpGet?.port ?? 0, `${at}.httpGet.port`),
        ...(schemes.includes(httpGet?.scheme ?? '')
          ? []
          : [notSupported(`${at}.httpGet.scheme`, httpGet?.scheme, schemes)]),
      ];
    case 'tcpSocket':
      return validatePort(tcpSocket?.port ?? 0, `${at}.tcpSocket.port`);
    case 'grpc':
      return validatePort(grpc?.port ?? 0, `${at}.grpc.port`);
    case 'sleep':
      return [];
  }
}

function validatePort(port: number | string, field: string): Cause[] {
  return eachInvalid(field, port, typeof port === 'number' ? portNumber(port) : portName(port));
}
