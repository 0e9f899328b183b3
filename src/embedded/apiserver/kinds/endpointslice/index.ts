import { equalJson } from '../../json.ts';
import type { KindDefinition, RawObject } from '../../kind.ts';
import { ageCell, ageColumn, column, firstOf, nameCell, nameColumn } from '../columns.ts';
import { decoderOf } from '../schema/decode.ts';
import { countGeneration, strategyOf } from '../strategy.ts';
import { immutableDetail, invalid } from '../validation/causes.ts';
import { asSlice, type SliceObject } from './types.ts';
import { validateSlice } from './validate.ts';

const cellLength = 3;

export const endpointSliceKind: KindDefinition = {
  group: 'discovery.k8s.io',
  version: 'v1',
  plural: 'endpointslices',
  singular: 'endpointslice',
  kind: 'EndpointSlice',
  namespaced: true,
  shortNames: [],
  categories: [],
  subresources: [],
  decode: decoderOf('V1EndpointSlice'),
  strategy: strategyOf('V1EndpointSlice', {
    prepareForCreate(object) {
      dropTopology(asSlice(object), undefined);
      countGeneration(object, undefined);
    },
    setDefaults(object) {
      for (const port of asSlice(object).ports ?? []) {
        port.name ??= '';
        port.protocol ??= 'TCP';
      }
    },
    validate: (object) => validateSlice(asSlice(object)),
    prepareForUpdate(object, before) {
      dropTopology(asSlice(object), asSlice(before));
      countGeneration(object, before, isChanged(object, before));
    },
    validateUpdate(object, before) {
      const slice = asSlice(object);
      const causes = validateSlice(slice);
      if (slice.addressType !== before.addressType) {
        causes.push(invalid('addressType', slice.addressType, immutableDetail));
      }
      return causes;
    },
    warnings: ({ addressType }) => (addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : []),
    columns: [
      nameColumn,
      column('AddressType', 'What the addresses are.'),
      column('Ports', 'Ports of every endpoint.'),
      column('Endpoints', 'Addresses of the endpoints.'),
      ageColumn,
    ],
    row(object, now) {
      const { addressType, ports, endpoints } = asSlice(object);
      const portCells = (ports ?? []).map(({ port, name }) => String(port ?? name ?? '*'));
      const addresses = (endpoints ?? []).flatMap((endpoint) => endpoint.addresses ?? []);
      return [
        nameCell(object),
        addressType,
        ports ? firstOf(portCells, cellLength) : '<unset>',
        endpoints ? firstOf(addresses, cellLength) : '<unset>',
        ageCell(object, now),
      ];
    },
  }),
};

/** Everything but metadata counts, and the labels, because consumers find the Service by one (KEP-752). */
function isChanged(object: RawObject, before: RawObject): boolean {
  const { metadata, ...rest } = object;
  const { metadata: oldMetadata, ...old } = before;
  return !equalJson(rest, old) || !equalJson(metadata.labels ?? {}, oldMetadata.labels ?? {});
}

/** A field of v1beta1 times: clients of v1 cannot set it, and lose it when they change the endpoints. */
function dropTopology(slice: SliceObject, before: SliceObject | undefined): void {
  if (before && equalJson(slice.endpoints, before.endpoints)) return;
  for (const endpoint of slice.endpoints ?? []) delete endpoint.deprecatedTopology;
}
