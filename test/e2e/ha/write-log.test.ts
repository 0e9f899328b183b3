import { describe, expect, it } from 'vitest';
import { type Arrival, takeovers, writesOutOfTurn } from './write-log.ts';

const arrival = (at: number, user: string, verb: string, plural: string, status = 200): Arrival => ({
  at,
  user,
  verb,
  plural,
  name: 'x',
  status,
});

describe('the judge of the write log', () => {
  const orderly = [
    arrival(0, 'a', 'create', 'leases', 201),
    arrival(1, 'a', 'create', 'endpointslices', 201),
    arrival(2, 'b', 'update', 'leases', 409),
    arrival(3, 'a', 'update', 'endpointslices'),
    arrival(4, 'b', 'update', 'leases'),
    arrival(9, 'b', 'update', 'endpointslices'),
  ];

  it('finds nothing where each wrote in its turn, whoever else tried to get the lease', () => {
    expect(writesOutOfTurn(orderly)).toEqual([]);
  });

  it('finds a write after another has taken the lease, refused or not, and one before anybody had', () => {
    const late = [...orderly, arrival(10, 'a', 'update', 'endpointslices', 409)];
    expect(writesOutOfTurn(late)).toEqual(['a update x while b held the lease']);
    expect(writesOutOfTurn(orderly.slice(1))).toEqual([
      'a create x while nobody held the lease',
      'a update x while nobody held the lease',
    ]);
  });

  it('measures each change of leader', () => {
    expect(takeovers(orderly)).toEqual([{ user: 'b', afterLastRenewalMs: 4, firstWriteMs: 5 }]);
  });
});
