import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { leaderMetrics } from '../../src/observe/leader-metrics.ts';
import { RequestMetrics } from '../../src/observe/request-metrics.ts';

describe('the metrics of calls to the API server', () => {
  it('count and time them under the names and labels of client-go', async () => {
    const registry = new Registry();
    const metrics = new RequestMetrics(registry, 'https://10.0.0.1:6443/base');
    metrics.attempt({ method: 'PUT', code: '200', durationMs: 30 });
    metrics.attempt({ method: 'PUT', code: 'UNREACHABLE', durationMs: 3 });
    metrics.waited('PUT', 50);
    const page = await registry.metrics();
    for (const line of [
      'rest_client_requests_total{code="200",method="PUT",host="10.0.0.1:6443"} 1',
      'rest_client_requests_total{code="<error>",method="PUT",host="10.0.0.1:6443"} 1',
      'rest_client_request_duration_seconds_bucket{le="0.025",verb="PUT",host="10.0.0.1:6443"} 1',
      'rest_client_request_duration_seconds_bucket{le="60",verb="PUT",host="10.0.0.1:6443"} 2',
      'rest_client_rate_limiter_duration_seconds_sum{verb="PUT",host="10.0.0.1:6443"} 0.05',
    ]) {
      expect(page.split('\n')).toContain(line);
    }
  });
});

describe('the metric of leader election', () => {
  it('is 1 on the leader and 0 on a replica that waits, as of now', async () => {
    const registry = new Registry();
    let leads = false;
    leaderMetrics(registry, 'slicewise-controller', () => leads);
    expect(await registry.metrics()).toContain('leader_election_master_status{name="slicewise-controller"} 0');
    leads = true;
    expect(await registry.metrics()).toContain('leader_election_master_status{name="slicewise-controller"} 1');
  });
});
