import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { manifests } from './kustomize.ts';
import { series } from './series.ts';

interface Alert {
  alert: string;
  expr: string;
  for: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

const read = (...path: string[]): string => readFileSync(join(manifests, ...path), 'utf8');
const groups: { name: string; rules: Alert[] }[] = parse(read('monitoring', 'alerts.yaml')).spec.groups;
const alerts = groups.flatMap(({ rules }) => rules);
const dashboard: { panels: { id: number; title: string; targets?: { expr: string }[] }[] } = JSON.parse(
  read('monitoring', 'dashboard.json'),
);
const panels = dashboard.panels.filter(({ targets }) => targets);

/** `name{job="x"...}` of an expression, as name and job. */
function selectors(expression: string): [name: string, job: string][] {
  return [...expression.matchAll(/([a-z_]+)\{job="([^"]+)"/g)].map(([, name = '', job = '']) => [name, job]);
}

describe('the alerts', () => {
  it.each(alerts)('$alert is explained by a runbook', ({ alert, annotations }) => {
    expect(annotations.runbook_url).toBe(`docs/runbooks.md#${alert.toLowerCase()}`);
    expect(read('..', 'docs', 'runbooks.md')).toContain(`\n## ${alert}\n`);
  });

  it('each have a runbook, and no runbook is without its alert', () => {
    const titles = [...read('..', 'docs', 'runbooks.md').matchAll(/^## (.+)$/gm)].map(([, title]) => title);
    expect(titles).toEqual(alerts.map(({ alert }) => alert));
  });

  it('say how bad it is, and wait before they say so', () => {
    for (const alert of alerts) {
      expect(['warning', 'critical'], alert.alert).toContain(alert.labels.severity);
      expect(alert.for).toMatch(/^\d+[mh]$/);
    }
  });
});

describe('alerts and dashboard', () => {
  const known = series();
  const expressions = [
    ...alerts.map(({ alert, expr }) => ({ of: alert, expr })),
    ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ of: title, expr }))),
  ];

  it.each(expressions)('$of asks for series that there are', ({ expr }) => {
    const asked = selectors(expr);
    // Every metric is asked for by job: other software has some of the same names.
    expect(asked.length).toBe([...expr.matchAll(/\{/g)].length);
    expect(asked.length).toBeGreaterThan(0);
    for (const [name, job] of asked) expect([...(known[job] ?? [])], `${name} of ${job}`).toContain(name);
  });

  it('the dashboard has a number for each panel', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
