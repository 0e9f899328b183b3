import { describe, expect, it } from 'vitest';
import { IpPool } from '../../../src/embedded/kubelet/ip-pool.ts';

describe('IpPool', () => {
  it('starts after the gateway and hands out in turn', () => {
    const pool = new IpPool('10.244.1.0/24');
    expect([pool.take(), pool.take()]).toEqual(['10.244.1.2', '10.244.1.3']);
  });

  it('gives a returned address to another Pod as late as it can', () => {
    const pool = new IpPool('10.244.1.0/29');
    const first = pool.take();
    pool.release(first);
    const rest = Array.from({ length: 5 }, () => pool.take());
    expect(rest).toEqual(['10.244.1.3', '10.244.1.4', '10.244.1.5', '10.244.1.6', first]);
    expect(() => pool.take()).toThrow('all 5 addresses of Pod network 10.244.1.0 are taken');
  });

  it('counts over byte borders and in IPv6', () => {
    const wide = new IpPool('10.244.2.0/23');
    const all = Array.from({ length: 509 }, () => wide.take());
    expect(all.at(-1)).toBe('10.244.3.254');
    wide.release('10.244.3.17');
    expect(wide.take()).toBe('10.244.3.17');
    const six = new IpPool('fd00:10:244:1::/64');
    expect(six.take()).toBe('fd00:10:244:1::2');
    six.release('fd00:10:244:1::2');
  });

  it('refuses a network without room', () => {
    expect(() => new IpPool('10.0.0.0/31')).toThrow('Pod network 10.0.0.0/31 has no address for a Pod');
  });
});
