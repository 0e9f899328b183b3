import { describe, expect, it } from 'vitest';
import { interfaceAddresses } from '../../src/proxy/machine.ts';

const FIB_TRIE = `Main:
  +-- 0.0.0.0/0 2 0 2
     |-- 172.17.0.0
        /16 link UNICAST
Local:
  +-- 0.0.0.0/0 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
           |-- 172.17.0.1
              /32 host LOCAL
`;
const IF_INET6 = `00000000000000000000000000000001 01 80 10 80       lo
fd000017000000000000000000000001 03 40 00 82       v0
`;

describe('the addresses of this machine', () => {
  const files: Record<string, string> = { '/proc/net/fib_trie': FIB_TRIE, '/proc/net/if_inet6': IF_INET6 };

  it('include those of interfaces without a carrier, which Node does not tell', () => {
    const found = interfaceAddresses((path) => files[path]);
    expect(found).toEqual(expect.arrayContaining(['127.0.0.1', '172.17.0.1', '::1', 'fd00:17::1']));
    expect(found).not.toContain('172.17.0.0');
    expect(found).not.toContain('127.255.255.255');
    expect(new Set(found).size).toBe(found.length);
  });

  it('are those that Node tells where the kernel has no such tables', () => {
    expect(interfaceAddresses(() => undefined)).toContain('127.0.0.1');
  });
});
