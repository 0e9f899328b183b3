import { describe, expect, it } from 'vitest';
import { explainRule, isRejected, nodePortRule, serviceView } from '../../../src/embedded/demo/rules-view.ts';

/** As iptables-save 1.8.9 printed it, with a second Service that must not be mixed in. */
const SAVE = `*filter
-A KUBE-SERVICES -d 10.96.7.7/32 -p tcp -m comment --comment "default/empty has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable
COMMIT
*nat
:KUBE-SERVICES - [0:0]
-A KUBE-NODEPORTS -p tcp -m comment --comment "default/nginx-svc" -m tcp --dport 30080 -j KUBE-EXT-HL5LMXD5JFHQZ6LN
-A KUBE-SEP-SADCJIHRQW7RJ62U -s 10.244.1.2/32 -m comment --comment "default/nginx-svc" -j KUBE-MARK-MASQ
-A KUBE-SEP-SADCJIHRQW7RJ62U -p tcp -m comment --comment "default/nginx-svc" -m tcp -j DNAT --to-destination 10.244.1.2:80
-A KUBE-SEP-B -s 10.244.2.2/32 -m comment --comment "default/nginx-svc" -j KUBE-MARK-MASQ
-A KUBE-SEP-B -p tcp -m comment --comment "default/nginx-svc" -m tcp -j DNAT --to-destination 10.244.2.2:80
-A KUBE-SERVICES -d 10.96.9.9/32 -p tcp -m comment --comment "default/nginx-svc2 cluster IP" -m tcp --dport 80 -j KUBE-SVC-OTHER
-A KUBE-SERVICES -d 10.96.0.50/32 -p tcp -m comment --comment "default/nginx-svc cluster IP" -m tcp --dport 3000 -j KUBE-SVC-HL5LMXD5JFHQZ6LN
-A KUBE-SVC-HL5LMXD5JFHQZ6LN ! -s 10.244.0.0/16 -d 10.96.0.50/32 -p tcp -m comment --comment "default/nginx-svc cluster IP" -m tcp --dport 3000 -j KUBE-MARK-MASQ
-A KUBE-SVC-HL5LMXD5JFHQZ6LN -m comment --comment "default/nginx-svc -> 10.244.1.2:80" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-SADCJIHRQW7RJ62U
-A KUBE-SVC-HL5LMXD5JFHQZ6LN -m comment --comment "default/nginx-svc -> 10.244.2.2:80" -j KUBE-SEP-B
-A KUBE-SVC-OTHER -j KUBE-SEP-OTHER
COMMIT
`;

describe('serviceView', () => {
  it('follows one Service from its ClusterIP to its endpoints', () => {
    const view = serviceView(SAVE, 'default/nginx-svc');
    expect(view.dispatch).toContain('-d 10.96.0.50/32');
    expect(view.balance).toHaveLength(3);
    expect([...view.endpoints.keys()]).toEqual(['KUBE-SEP-SADCJIHRQW7RJ62U', 'KUBE-SEP-B']);
    expect(view.targets).toEqual(['10.244.1.2:80', '10.244.2.2:80']);
  });

  it('finds nothing of a Service that has no rules', () => {
    expect(serviceView(SAVE, 'default/nginx')).toEqual({
      dispatch: undefined,
      balance: [],
      endpoints: new Map(),
      targets: [],
    });
  });
});

it('isRejected and nodePortRule tell Services apart by their whole name', () => {
  expect(isRejected(SAVE, 'default/empty')).toBe(true);
  expect(isRejected(SAVE, 'default/nginx-svc')).toBe(false);
  expect(nodePortRule(SAVE, 'default/nginx-svc')).toContain('--dport 30080');
  expect(nodePortRule(SAVE, 'default/nginx')).toBeUndefined();
});

describe('explainRule', () => {
  const pods = new Map([['10.244.1.2', 'nginx-1']]);
  const { dispatch, balance, endpoints } = serviceView(SAVE, 'default/nginx-svc');
  const [masquerade = '', first = '', last = ''] = balance;
  const [hairpin = '', dnat = ''] = endpoints.get('KUBE-SEP-SADCJIHRQW7RJ62U') ?? [];

  it.each([
    [dispatch ?? '', "A packet to 10.96.0.50:3000, the Service's ClusterIP"],
    [masquerade, 'Not sent by a Pod: mark it'],
    [first, 'With probability 1/2, this connection goes to nginx-1 (10.244.1.2:80).'],
    [last, 'What is left over goes to 10.244.2.2:80'],
    [hairpin, 'A Pod that was dealt itself'],
    [dnat, "the destination becomes the Pod's"],
  ])('%s', (rule, meaning) => {
    expect(explainRule(rule, pods)).toContain(meaning);
  });

  it('explains the digits of a third', () => {
    const third = first.replace('0.50000000000', '0.33333333349');
    expect(explainRule(third, pods)).toContain('probability 1/3');
    expect(explainRule(third, pods)).toContain('as near as the kernel can store it');
  });
});
