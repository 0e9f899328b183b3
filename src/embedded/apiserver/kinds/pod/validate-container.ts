import type { Cause } from '../../kind.ts';
import { parseQuantity } from '../schema/quantity.ts';
import { duplicate, eachInvalid, forbidden, invalid, notFound, notSupported, required } from '../validation/causes.ts';
import { configMapKey, dns1123Label, envVarName, portName, portNumber, qualifiedName } from '../validation/names.ts';
import type { Container, EnvVar, PodSpec, Resources } from './types.ts';
import { validateHandler, validateProbe } from './validate-probe.ts';
import { validateSecurity } from './validate-security.ts';

const protocols = ['SCTP', 'TCP', 'UDP'];
const pullPolicies = ['Always', 'IfNotPresent', 'Never'];
const messagePolicies = ['File', 'FallbackToLogsOnError'];
const restartPolicies = ['Always', 'Never', 'OnFailure'];

export function validateContainers(spec: PodSpec): Cause[] {
  const volumes = new Set((spec.volumes ?? []).map((volume) => volume.name));
  const names = new Set<string>();
  const check = (list: Container[], field: string, isInit: boolean): Cause[] => [
    ...list.flatMap((container, i) => {
      const at = `${field}[${i}]`;
      const causes = validateName(container.name, at, names);
      names.add(container.name);
      return [...causes, ...validateContainer(container, at, volumes, isInit)];
    }),
    ...validateHostPorts(list, field, spec.hostNetwork ?? false),
  ];
  const containers = spec.containers ?? [];
  return [
    ...(containers.length === 0 ? [required('spec.containers')] : []),
    ...check(containers, 'spec.containers', false),
    ...check(spec.initContainers ?? [], 'spec.initContainers', true),
  ];
}

function validateName(name: string, at: string, taken: ReadonlySet<string>): Cause[] {
  if (name === '') return [required(`${at}.name`)];
  const syntax = eachInvalid(`${at}.name`, name, dns1123Label(name));
  return syntax.length === 0 && taken.has(name) ? [duplicate(`${at}.name`, name)] : syntax;
}

function validateContainer(container: Container, at: string, volumes: ReadonlySet<string>, isInit: boolean): Cause[] {
  const causes: Cause[] = [];
  const { image = '', imagePullPolicy = '', terminationMessagePolicy = '', restartPolicy } = container;
  if (image === '') causes.push(required(`${at}.image`));
  else if (image.trim() !== image) {
    causes.push(invalid(`${at}.image`, image, 'must not have leading or trailing whitespace'));
  }
  if (!messagePolicies.includes(terminationMessagePolicy)) {
    causes.push(notSupported(`${at}.terminationMessagePolicy`, terminationMessagePolicy, messagePolicies));
  }
  causes.push(
    ...validatePorts(container, at),
    ...(container.env ?? []).flatMap((env, i) => validateEnv(env, `${at}.env[${i}]`)),
  );
  causes.push(...validateMounts(container, at, volumes));
  if (!pullPolicies.includes(imagePullPolicy)) {
    causes.push(notSupported(`${at}.imagePullPolicy`, imagePullPolicy, pullPolicies));
  }
  causes.push(...validateResources(container.resources, `${at}.resources`));
  if (restartPolicy !== undefined && !restartPolicies.includes(restartPolicy)) {
    causes.push(notSupported(`${at}.restartPolicy`, restartPolicy, restartPolicies));
  }
  if (container.securityContext) causes.push(...validateSecurity(container.securityContext, `${at}.securityContext`));
  return [...causes, ...validateHooks(container, at, isInit)];
}

const hooks = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const;

function validateHooks(container: Container, at: string, isInit: boolean): Cause[] {
  if (isInit && container.restartPolicy !== 'Always') {
    return hooks
      .filter((hook) => container[hook] !== undefined)
      .map((hook) => forbidden(`${at}.${hook}`, 'may not be set for init containers without restartPolicy=Always'));
  }
  const causes: Cause[] = [];
  const { postStart, preStop } = container.lifecycle ?? {};
  if (postStart) causes.push(...validateHandler(postStart, `${at}.lifecycle.postStart`));
  if (preStop) causes.push(...validateHandler(preStop, `${at}.lifecycle.preStop`));
  const { livenessProbe, readinessProbe, startupProbe } = container;
  if (livenessProbe) causes.push(...validateProbe(livenessProbe, `${at}.livenessProbe`, true));
  if (readinessProbe) causes.push(...validateProbe(readinessProbe, `${at}.readinessProbe`, false));
  if (startupProbe) causes.push(...validateProbe(startupProbe, `${at}.startupProbe`, true));
  return causes;
}

function validatePorts({ ports = [] }: Container, at: string): Cause[] {
  const names = new Set<string>();
  return ports.flatMap((port, i) => {
    const field = `${at}.ports[${i}]`;
    const causes: Cause[] = [];
    const { name = '', containerPort, hostPort = 0, protocol = '' } = port;
    if (name !== '') {
      const syntax = eachInvalid(`${field}.name`, name, portName(name));
      causes.push(...(syntax.length === 0 && names.has(name) ? [duplicate(`${field}.name`, name)] : syntax));
      names.add(name);
    }
    if (!containerPort) causes.push(required(`${field}.containerPort`));
    else causes.push(...eachInvalid(`${field}.containerPort`, containerPort, portNumber(containerPort)));
    if (hostPort !== 0) causes.push(...eachInvalid(`${field}.hostPort`, hostPort, portNumber(hostPort)));
    if (!protocols.includes(protocol)) causes.push(notSupported(`${field}.protocol`, protocol, protocols));
    return causes;
  });
}

function validateHostPorts(containers: Container[], field: string, hostNetwork: boolean): Cause[] {
  const taken = new Set<string>();
  return containers.flatMap((container, i) =>
    (container.ports ?? []).flatMap((port, j) => {
      const at = `${field}[${i}].ports[${j}].hostPort`;
      if (!port.hostPort) return [];
      const key = `${port.protocol}/${port.hostIP ?? ''}/${port.hostPort}`;
      const isDuplicate = taken.has(key);
      taken.add(key);
      if (isDuplicate) return [duplicate(at, key)];
      if (!hostNetwork || port.hostPort === port.containerPort) return [];
      return [invalid(at, port.hostPort, 'must match `containerPort` when `hostNetwork` is true')];
    }),
  );
}

/** What a `fieldRef` in the environment may name. */
const envFields =
  /^(metadata\.(name|namespace|uid)|metadata\.(labels|annotations)\['[^']*'\]|spec\.(nodeName|serviceAccountName)|status\.(hostIP|hostIPs|podIP|podIPs))$/;

function validateEnv(env: EnvVar, at: string): Cause[] {
  const causes = env.name === '' ? [required(`${at}.name`)] : eachInvalid(`${at}.name`, env.name, envVarName(env.name));
  if (env.valueFrom) causes.push(...validateEnvSource(env, `${at}.valueFrom`));
  return causes;
}

function validateEnvSource({ value, valueFrom = {} }: EnvVar, at: string): Cause[] {
  const causes: Cause[] = [];
  const { fieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (fieldRef && !envFields.test(fieldRef.fieldPath)) {
    const { fieldPath } = fieldRef;
    const why = `error converting fieldPath: field label not supported: ${fieldPath}`;
    causes.push(
      fieldPath === '' ? required(`${at}.fieldRef.fieldPath`) : invalid(`${at}.fieldRef.fieldPath`, fieldPath, why),
    );
  }
  for (const [name, ref] of Object.entries({ configMapKeyRef, secretKeyRef })) {
    if (!ref) continue;
    if (ref.key === '') causes.push(required(`${at}.${name}.key`));
    else causes.push(...eachInvalid(`${at}.${name}.key`, ref.key, configMapKey(ref.key)));
  }
  const sources = Object.keys(valueFrom).length;
  if (sources === 0) {
    const names = '`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    causes.push(invalid(at, '', `must specify one of: ${names}`));
  } else if (value) causes.push(invalid(at, '', 'may not be specified when `value` is not empty'));
  if (sources > 1) causes.push(invalid(at, '', 'may not have more than one field specified at a time'));
  return causes;
}

function validateMounts({ volumeMounts = [] }: Container, at: string, volumes: ReadonlySet<string>): Cause[] {
  const paths = new Set<string>();
  return volumeMounts.flatMap(({ name, mountPath }, i) => {
    const field = `${at}.volumeMounts[${i}]`;
    const causes: Cause[] = [];
    if (name === '') causes.push(required(`${field}.name`));
    if (!volumes.has(name)) causes.push(notFound(`${field}.name`, name));
    if (mountPath === '') causes.push(required(`${field}.mountPath`));
    else if (paths.has(mountPath)) causes.push(invalid(`${field}.mountPath`, mountPath, 'must be unique'));
    paths.add(mountPath);
    return causes;
  });
}

const standardResources = new Set(['cpu', 'memory', 'ephemeral-storage', 'storage']);

export function validateResources({ limits = {}, requests = {} }: Resources, at: string): Cause[] {
  return [
    ...Object.entries(limits).flatMap(([name, value]) => validateAmount(name, value, `${at}.limits[${name}]`)),
    ...Object.entries(requests).flatMap(([name, value]) => {
      const request = nano(value);
      const limit = limits[name];
      const causes: Cause[] = [];
      if (limit !== undefined && request > nano(limit)) {
        causes.push(invalid(`${at}.requests`, value, `must be less than or equal to ${name} limit of ${limit}`));
      }
      return [...validateAmount(name, value, `${at}.requests[${name}]`), ...causes];
    }),
  ];
}

function validateAmount(name: string, value: string, field: string): Cause[] {
  const causes = eachInvalid(field, name, qualifiedName(name));
  if (causes.length === 0 && !name.includes('/') && !standardResources.has(name) && !name.startsWith('hugepages-')) {
    causes.push(invalid(field, name, 'must be a standard resource type or fully qualified'));
    causes.push(invalid(field, name, 'must be a standard resource for containers'));
  }
  if (nano(value) < 0n) causes.push(invalid(field, value, 'must be greater than or equal to 0'));
  return causes;
}

function nano(value: string): bigint {
  return parseQuantity(value)?.nano ?? 0n;
}
