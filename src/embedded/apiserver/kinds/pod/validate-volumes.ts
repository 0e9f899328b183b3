import { isRecord } from '../../json.ts';
import type { Cause } from '../../kind.ts';
import { duplicate, eachInvalid, forbidden, invalid, required } from '../validation/causes.ts';
import { dns1123Label } from '../validation/names.ts';
import type { PodSpec, Volume } from './types.ts';

/** Source -> the one field without which it means nothing. */
const requiredFields: Record<string, string> = {
  configMap: 'name',
  hostPath: 'path',
  nfs: 'server',
  persistentVolumeClaim: 'claimName',
  secret: 'secretName',
};

export function validateVolumes({ volumes = [], serviceAccountName }: PodSpec): Cause[] {
  const names = new Set<string>();
  return volumes.flatMap((volume, i) => {
    const at = `spec.volumes[${i}]`;
    const causes = [...validateSources(volume, at), ...validateTokens(volume, at, serviceAccountName)];
    if (volume.name === '') causes.push(required(`${at}.name`));
    else if (names.has(volume.name)) causes.push(duplicate(`${at}.name`, volume.name));
    else causes.push(...eachInvalid(`${at}.name`, volume.name, dns1123Label(volume.name)));
    names.add(volume.name);
    return causes;
  });
}

function validateSources(volume: Volume, at: string): Cause[] {
  const [first, ...others] = Object.keys(volume).filter((key) => key !== 'name');
  if (first === undefined) return [required(at, 'must specify a volume type')];
  const needed = requiredFields[first];
  const value = volume[first];
  const lacks = needed !== undefined && isRecord(value) && !value[needed];
  const path = isRecord(volume.hostPath) ? volume.hostPath.path : undefined;
  const climbs = typeof path === 'string' && path.split('/').includes('..');
  return [
    ...(climbs ? [invalid(`${at}.hostPath.path`, path, "must not contain '..'")] : []),
    ...(lacks ? [required(`${at}.${first}.${needed}`)] : []),
    ...others.map((source) => forbidden(`${at}.${source}`, 'may not specify more than 1 volume type')),
  ];
}

function validateTokens(volume: Volume, at: string, account: string | undefined): Cause[] {
  const sources = isRecord(volume.projected) ? volume.projected.sources : undefined;
  if (account || !Array.isArray(sources)) return [];
  const why = 'must not be specified when serviceAccountName is not set';
  return sources.flatMap((source, i) =>
    isRecord(source) && source.serviceAccountToken !== undefined
      ? [forbidden(`${at}.projected.sources[${i}].serviceAccountToken`, why)]
      : [],
  );
}
