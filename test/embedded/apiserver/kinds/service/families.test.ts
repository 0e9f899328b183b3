import { describe, expect, it } from 'vitest';
import { Pipeline, refusals } from '../pipeline.ts';

const ports = [{ port: 80 }];
const selector = { a: 'b' };
const shapes = {
  'with a selector': { ports, selector },
  headless: { ports, selector, clusterIP: 'None' },
  'headless without a selector': { ports, clusterIP: 'None' },
};
const mustBeDual =
  "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified";

/** What kube-apiserver 1.36 answers, for every combination. */
const asked = [undefined, ['IPv4'], ['IPv6'], ['IPv4', 'IPv6'], ['IPv6', 'IPv4']];
const single = [['IPv4'], ['IPv4'], ['IPv6'], mustBeDual, mustBeDual];
const dual = [
  ['IPv4', 'IPv6'],
  ['IPv4', 'IPv6'],
  ['IPv6', 'IPv4'],
  ['IPv4', 'IPv6'],
  ['IPv6', 'IPv4'],
];

describe('the IP families of a new Service on a dual-stack cluster', () => {
  for (const [shape, spec] of Object.entries(shapes)) {
    const byDefault = shape === 'headless without a selector' ? 'RequireDualStack' : 'SingleStack';
    for (const policy of [undefined, 'SingleStack', 'PreferDualStack', 'RequireDualStack']) {
      const wanted = policy ?? byDefault;
      const expected = wanted === 'SingleStack' ? single : dual;
      it.each(asked.map((families, i) => [families, expected[i]] as const))(
        `${shape}, policy ${policy}, asking for %j: %j`,
        (families, outcome) => {
          const create = () =>
            new Pipeline().create('services', {
              spec: {
                ...spec,
                ...(policy ? { ipFamilyPolicy: policy } : {}),
                ...(families ? { ipFamilies: families } : {}),
              },
            });
          if (typeof outcome === 'string') expect(refusals(create)).toEqual([outcome]);
          else expect(create().spec).toMatchObject({ ipFamilies: outcome, ipFamilyPolicy: wanted });
        },
      );
    }
  }
});

describe('the IP families of a new Service on a single-stack cluster', () => {
  const create = (spec: Record<string, unknown>) => () =>
    new Pipeline({ serviceCIDRs: ['10.0.0.0/24'] }).create('services', { spec: { ports, ...spec } });

  it('PreferDualStack makes do with one', () => {
    expect(create({ ipFamilyPolicy: 'PreferDualStack' })().spec).toMatchObject({
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'PreferDualStack',
    });
  });

  it('RequireDualStack and the other family are refused', () => {
    expect(refusals(create({ ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'] }))).toEqual([
      'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
      'spec.ipFamilies[1]: Invalid value: "IPv6": not configured on this cluster',
    ]);
    expect(refusals(create({ ipFamilies: ['IPv6'] }))).toEqual([
      'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
    ]);
    expect(refusals(create({ clusterIP: 'fd00::1' }))).toEqual([
      'spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster',
    ]);
  });

  it('a headless Service without a selector has both, whatever the cluster has', () => {
    expect(create({ clusterIP: 'None' })().spec).toMatchObject({
      ipFamilies: ['IPv4', 'IPv6'],
      ipFamilyPolicy: 'RequireDualStack',
    });
    expect(create({ clusterIP: 'None', ipFamilies: ['IPv6'], ipFamilyPolicy: 'SingleStack' })().spec).toMatchObject({
      ipFamilies: ['IPv6'],
    });
  });
});
