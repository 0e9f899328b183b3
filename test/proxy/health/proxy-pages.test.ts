import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Node } from '../../../src/objects/node.ts';
import { isNodeEligible } from '../../../src/proxy/health/node-eligibility.ts';
import type { ProxyHealth } from '../../../src/proxy/health/proxy-health.ts';
import { healthzReply, livezReply, proxyPages } from '../../../src/proxy/health/proxy-pages.ts';

const time = (text: string) => ({ monotonic: 0, wall: Date.parse(text) });

const healthy: ProxyHealth = {
  healthy: true,
  now: time('2026-01-02T03:04:05.678Z'),
  lastUpdated: time('2026-01-01T00:00:00.5Z'),
  families: {
    IPv4: { healthy: true, lastUpdated: time('2026-01-01T00:00:00.5Z') },
    IPv6: { healthy: true, lastUpdated: time('2025-12-31T23:00:00Z') },
  },
};
const late: ProxyHealth = {
  ...healthy,
  healthy: false,
  families: { ...healthy.families, IPv6: { healthy: false, lastUpdated: time('2025-12-31T23:00:00Z') } },
};
const status = (ipv6: boolean) =>
  `"status":{"IPv4":{"lastUpdated":"2026-01-01T00:00:00.5Z","healthy":true},"IPv6":{"lastUpdated":"2025-12-31T23:00:00Z","healthy":${ipv6}}}`;

describe('/healthz', () => {
  it('says 200 with a recent time when the proxy is healthy and its node eligible', () => {
    expect(healthzReply(healthy, true)).toEqual({
      status: 200,
      contentType: 'application/json',
      body: `{"lastUpdated":"2026-01-02T03:04:05.678Z","currentTime":"2026-01-02T03:04:05.678Z","nodeEligible":true,"healthy":true,${status(true)}}`,
    });
  });

  it('says 503 on a node that is not eligible, with "healthy":true and the time of the last update', () => {
    const { status: code, body } = healthzReply(healthy, false);
    expect(code).toBe(503);
    expect(body).toBe(
      `{"lastUpdated":"2026-01-01T00:00:00.5Z","currentTime":"2026-01-02T03:04:05.678Z","nodeEligible":false,"healthy":true,${status(true)}}`,
    );
  });

  it('says 503 when a family is late', () => {
    const { status: code, body } = healthzReply(late, true);
    expect(code).toBe(503);
    expect(body).toContain(`"nodeEligible":true,"healthy":false,${status(false)}`);
  });

  it('has no status before the first sync, and the year 1 for a time that is not known', () => {
    const { body } = healthzReply({ ...healthy, families: {}, lastUpdated: undefined }, false);
    expect(body).toBe(
      '{"lastUpdated":"0001-01-01T00:00:00Z","currentTime":"2026-01-02T03:04:05.678Z","nodeEligible":false,"healthy":true}',
    );
  });
});

describe('/livez', () => {
  it('says 200 when the proxy is healthy, and nothing of the node', () => {
    expect(livezReply(healthy)).toMatchObject({
      status: 200,
      body: `{"lastUpdated":"2026-01-02T03:04:05.678Z","currentTime":"2026-01-02T03:04:05.678Z","healthy":true,${status(true)}}`,
    });
  });

  it('says 503 when a family is late', () => {
    expect(livezReply(late).status).toBe(503);
  });
});

describe('the health pages', () => {
  it('count each answer by page and status', () => {
    const answers: [string, number][] = [];
    const pages = proxyPages({
      health: () => healthy,
      nodeEligible: () => false,
      answered: (page, code) => answers.push([page, code]),
    });
    const request = {} as IncomingMessage;
    for (const path of ['/healthz', '/livez']) pages[path]?.(request, new URL(`http://h${path}`));
    expect(answers).toEqual([
      ['healthz', 503],
      ['livez', 200],
    ]);
    expect(Object.keys(pages)).toEqual(['/healthz', '/livez']);
  });
});

describe('a node is eligible for new connections', () => {
  const node: Node = { metadata: { name: 'n' }, spec: {}, status: {} };
  it.each<[string, Node | undefined, boolean]>([
    ['when it is there', node, true],
    ['with any other taint', { ...node, spec: { taints: [{ key: 'DeletionCandidateOfClusterAutoscaler' }] } }, true],
    ['not when it is not known', undefined, false],
    [
      'not when it is being deleted',
      { ...node, metadata: { name: 'n', deletionTimestamp: '2026-01-01T00:00:00Z' } },
      false,
    ],
    [
      'not when the autoscaler is about to remove it',
      { ...node, spec: { taints: [{ key: 'ToBeDeletedByClusterAutoscaler' }] } },
      false,
    ],
  ])('%s', (_when, given, eligible) => {
    expect(isNodeEligible(given)).toBe(eligible);
  });
});
