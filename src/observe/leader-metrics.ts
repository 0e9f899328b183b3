import { Gauge, type Registry } from 'prom-client';

/** client-go's gauge: 1 while `leads` says so, 0 on a replica that waits. `name` is the Lease's. */
export function leaderMetrics(registry: Registry, name: string, leads: () => boolean): void {
  new Gauge({
    name: 'leader_election_master_status',
    help:
      '[ALPHA] Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master. ' +
      "'name' is the string used to identify the lease. Please make sure to group by name.",
    labelNames: ['name'],
    registers: [registry],
    collect() {
      this.set({ name }, leads() ? 1 : 0);
    },
  });
}
