import type { KindDefinition } from '../../kind.ts';
import { decoderOf } from '../schema/decode.ts';
import { keepSpec, keepStatus, strategyOf } from '../strategy.ts';
import { alignClusterIPs, carryOver } from './carry-over.ts';
import { allocateClusterIPs, cidrsByFamily } from './cluster-ips.ts';
import { serviceColumns, serviceRow } from './columns.ts';
import { dropUnused, setServiceDefaults } from './defaults.ts';
import { applyFamilies, validateFamilies } from './families.ts';
import { allocateNodePorts } from './node-ports.ts';
import { asService, type ServiceNetwork } from './types.ts';
import { validateServiceSpec } from './validate.ts';
import { validateServiceChange, validateServiceStatus } from './validate-update.ts';
import { serviceWarnings } from './warnings.ts';

export function serviceKind(network: ServiceNetwork): KindDefinition {
  const cidrs = cidrsByFamily(network.serviceCIDRs);
  const families = [...cidrs.keys()];
  return {
    group: '',
    version: 'v1',
    plural: 'services',
    singular: 'service',
    kind: 'Service',
    namespaced: true,
    shortNames: ['svc'],
    categories: ['all'],
    subresources: ['status'],
    nameForm: 'label',
    createOnUpdate: true,
    returnsDeleted: true,
    decode: decoderOf('V1Service'),
    strategy: strategyOf('V1Service', {
      prepareForCreate(object) {
        const service = asService(object);
        service.status = { loadBalancer: {} };
        setServiceDefaults(service);
        alignClusterIPs(service.spec, undefined);
        dropUnused(service.spec);
        applyFamilies(service.spec, families);
      },
      setDefaults: (object) => setServiceDefaults(asService(object)),
      validate(object) {
        const { spec } = asService(object);
        const causes = validateFamilies(spec, families);
        return causes.length > 0 ? causes : validateServiceSpec(spec);
      },
      prepareForUpdate(object, before, subresource) {
        if (subresource === 'status') {
          keepSpec(object, before);
          return;
        }
        const service = asService(object);
        keepStatus(object, before);
        carryOver(service, asService(before));
        dropUnused(service.spec);
        applyFamilies(service.spec, families);
      },
      validateUpdate(object, before, subresource) {
        const service = asService(object);
        if (subresource === 'status') return validateServiceStatus(service);
        const { spec } = service;
        const causes = validateFamilies(spec, families);
        if (causes.length > 0) return causes;
        return [...validateServiceChange(service, asService(before)), ...validateServiceSpec(spec)];
      },
      allocate(object, before, context) {
        const service = asService(object);
        const old = before && asService(before);
        const causes = allocateClusterIPs(service, old, cidrs, context);
        return causes.length > 0 ? causes : allocateNodePorts(service, old, network.nodePortRange, context);
      },
      warnings: (object) => serviceWarnings(asService(object)),
      columns: serviceColumns,
      row: serviceRow,
      selectableFields: {
        'spec.clusterIP': (object) => asService(object).spec.clusterIP ?? '',
        'spec.type': (object) => asService(object).spec.type ?? '',
      },
    }),
  };
}
