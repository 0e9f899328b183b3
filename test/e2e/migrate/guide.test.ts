import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { controllerCommand } from '../../../src/commands/controller.ts';
import { proxierCommand } from '../../../src/commands/proxier.ts';
import { series } from '../../manifests/series.ts';
import { Page, ROOT } from './guide.ts';

const guide = new Page('docs/migrate.md');
const pages = [guide, new Page('docs/runbooks.md')];
const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => readFileSync(join(ROOT, 'src', path), 'utf8'))
  .join('\n');
const alerts: string[] = parse(
  readFileSync(join(ROOT, 'manifests/monitoring/alerts.yaml'), 'utf8'),
).spec.groups.flatMap(({ rules }: { rules: { alert: string }[] }) => rules.map(({ alert }) => alert));
const shellcheck = spawnSync('shellcheck', ['--version'], { stdio: 'ignore' }).status === 0;
if (!shellcheck) console.log('SKIPPED, shellcheck over the commands of docs/: there is no shellcheck');

const unique = (found: Iterable<string>): string[] => [...new Set(found)].toSorted();
const matches = (text: string, pattern: RegExp) => unique([...text.matchAll(pattern)].map(([all]) => all));

describe.each(pages)('$path', (page) => {
  it('links to files and headings that are there', () => {
    const broken = page.links.filter((link) => {
      if (/^https?:/.test(link)) return false;
      const [path = '', anchor] = link.split('#');
      const file = path === '' ? page.path : relative(ROOT, join(ROOT, dirname(page.path), path));
      if (!existsSync(join(ROOT, file))) return true;
      return anchor !== undefined && !new Page(file).anchors.includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('names files of this repository that are there', () => {
    const paths = matches(page.text, /(?<![\w/])(?:\.\.\/)*(?:manifests|docs|test)\/[\w./+-]*\w/g);
    expect(paths.length).toBeGreaterThan(0);
    expect(paths.filter((path) => !existsSync(join(ROOT, path.replaceAll('../', ''))))).toEqual([]);
  });

  it('names alerts that are there', () => {
    const named = matches(page.text, /\bSlicewise(?:Controller|Proxier)[A-Z]\w+/g);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((alert) => !alerts.includes(alert))).toEqual([]);
  });

  it('names metrics that are there', () => {
    const all = new Set(Object.values(series()).flatMap((names) => [...names]));
    // The guide greps for two names with one expression.
    const text = page.text.replace('last(_queued)?_timestamp', 'last_timestamp');
    const named = matches(
      text,
      /\b(?:kubeproxy|endpoint_slice_controller|workqueue|rest_client|slicewise_proxier)_\w+/g,
    );
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((name) => !all.has(name))).toEqual([]);
  });

  it.runIf(shellcheck)('has commands that shellcheck finds nothing wrong with', () => {
    for (const { language, text, line } of page.blocks) {
      if (language !== 'sh') continue;
      // A variable may have been set in a block before; NODE stands for a name in some.
      const args = ['--shell=bash', '--exclude=SC2154', '-'];
      const { stdout } = spawnSync('shellcheck', args, { input: text, encoding: 'utf8' });
      expect(stdout, `${page.path}:${line}`).toBe('');
    }
  });
});

describe('docs/migrate.md', () => {
  it('names flags that there are', () => {
    const flagsOf = (command: Command) => command.options.map(({ long }) => long);
    const ours = [...flagsOf(controllerCommand()), ...flagsOf(proxierCommand())];
    // kube-controller-manager's, and kubeadm's.
    const theirs = ['--controllers', '--patches'];
    const named = unique(guide.code.flatMap((code) => code.match(/^--[\w-]+/) ?? []));
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((flag) => !ours.includes(flag) && !theirs.includes(flag))).toEqual([]);
  });

  it('quotes log lines as they are written', () => {
    const programs = /^(?:kubectl|slicewise|npx|npm|ctr|iptables|kubeadm|docker|kube-proxy|mode:) /;
    const quoted = unique(
      guide.code.filter((code) => /^[a-z][a-z :;-]+$/.test(code) && / /.test(code) && !programs.test(code)),
    );
    expect(quoted).toEqual(
      expect.arrayContaining(['proxier starting', 'controller synced', 'leader election: lease acquired']),
    );
    expect(quoted.filter((line) => !sources.includes(line))).toEqual([]);
  });

  it('names events and settings of the log as they are written', () => {
    for (const word of ['RulesRepaired', 'chainsWritten', 'chainsRemoved', 'backend']) {
      expect(guide.text).toContain(word);
      expect(sources).toContain(word);
    }
  });
});
