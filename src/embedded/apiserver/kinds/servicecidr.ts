import type { Cause, KindDefinition, RawObject, StrategyContext } from '../kind.ts';
import { ageCell, ageColumn, column, nameCell, nameColumn } from './columns.ts';
import { decoderOf } from './schema/decode.ts';
import { keepMetadata, keepSpec, keepStatus, strategyOf } from './strategy.ts';
import { canonicalAddress, cidrSyntax, parseCidr } from './validation/addresses.ts';
import { eachInvalid, immutableDetail, invalid, required } from './validation/causes.ts';

interface ServiceCIDRObject extends RawObject {
  spec: { cidrs?: string[] };
  status: { conditions?: { type?: string; status?: string }[] };
}

/** networking.k8s.io/v1 ServiceCIDR (KEP-1880). */
export const serviceCIDRKind: KindDefinition = {
  group: 'networking.k8s.io',
  version: 'v1',
  plural: 'servicecidrs',
  singular: 'servicecidr',
  kind: 'ServiceCIDR',
  namespaced: false,
  shortNames: [],
  categories: [],
  subresources: ['status'],
  decode: decoderOf('V1ServiceCIDR'),
  strategy: strategyOf('V1ServiceCIDR', {
    prepareForCreate(object) {
      object.status = {};
    },
    validate: (object) => validateCIDRs(cidrsOf(object)),
    prepareForUpdate(object, before, subresource) {
      if (subresource === 'status') {
        keepSpec(object, before);
        keepMetadata(object, before);
      } else keepStatus(object, before);
    },
    validateUpdate: (object, before) => validateCIDRChange(cidrsOf(object), cidrsOf(before)),
    columns: [nameColumn, column('CIDRs', 'Where addresses come from.'), ageColumn],
    row: (object, now) => [nameCell(object), cidrsOf(object).join(','), ageCell(object, now)],
  }),
};

/** All CIDRs that Services may have addresses from. Without a condition that says otherwise one is ready. */
export function* readyServiceCIDRs({ list }: Pick<StrategyContext, 'list'>): Iterable<string> {
  for (const object of list('servicecidrs')) {
    const { status, metadata } = object as ServiceCIDRObject;
    const ready = status.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'True';
    if (ready === 'True' && metadata.deletionTimestamp === undefined) yield* cidrsOf(object);
  }
}

function cidrsOf(object: RawObject): string[] {
  return (object as ServiceCIDRObject).spec.cidrs ?? [];
}

function validateCIDRs(cidrs: string[]): Cause[] {
  const field = 'spec.cidrs';
  if (cidrs.length === 0) return [required(field, 'at least one CIDR required')];
  if (cidrs.length > 2) return [invalid(field, { CIDRs: cidrs }, 'may only hold up to 2 values')];
  const causes: Cause[] = [];
  const families = cidrs.map((cidr) => parseCidr(cidr)?.family);
  if (cidrs.length === 2 && families[0] !== undefined && families[0] === families[1]) {
    const why = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';
    causes.push(invalid(field, cidrs, why));
  }
  cidrs.forEach((cidr, i) => {
    const syntax = cidrSyntax(cidr);
    const canonical = canonicalCIDR(cidr);
    if (syntax.length === 0 && canonical !== cidr) syntax.push(`must be in canonical form ("${canonical}")`);
    causes.push(...eachInvalid(`${field}[${i}]`, cidr, syntax));
  });
  return causes;
}

/** CIDRs stay; one of the other family may be added. */
function validateCIDRChange(cidrs: string[], before: string[]): Cause[] {
  if (cidrs.length < before.length) {
    return [invalid('spec.cidrs', cidrs.length === 0 ? null : cidrs, immutableDetail)];
  }
  const changed = before.flatMap((cidr, i) =>
    cidr === cidrs[i] ? [] : [invalid(`spec.cidrs[${i}]`, cidrs[i], immutableDetail)],
  );
  return cidrs.length > before.length && changed.length === 0 ? validateCIDRs(cidrs) : changed;
}

function canonicalCIDR(cidr: string): string {
  const [address = '', prefix = ''] = cidr.split('/');
  return `${canonicalAddress(address) ?? address}/${prefix}`;
}
