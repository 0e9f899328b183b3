import { describe, expect, it } from 'vitest';
import { stepConfigWatch, type WatchState, watchConfigFile } from '../../../src/proxy/config/watch.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { HEADER, loadDocument } from './support.ts';

const IN_USE = `${HEADER}clusterCIDR: 10.1.0.0/16\n`;
const OTHER = `${HEADER}clusterCIDR: 10.2.0.0/16\n`;
const INVALID = `${HEADER}clusterCIDR: nonsense\n`;
const SAME_MEANING = `# a comment\n${IN_USE}mode: iptables\n`;

const config = loadDocument(IN_USE).config;
const load = (text: string) => loadDocument(text).config;

/** What each look at the file led to: nothing, a warning or a restart. */
function looks(...texts: (string | { problem: string })[]): (string | undefined)[] {
  let state: WatchState = { inUse: IN_USE };
  return texts.map((text) => {
    const step = stepConfigWatch(state, typeof text === 'string' ? { text } : text, config, load);
    state = step.state;
    return step.restart ? 'restart' : step.warning;
  });
}

const refusal = expect.stringMatching(/^the changed configuration file is not used.*ClusterCIDRs\[0\].*"nonsense"/);

describe('a look at the configuration file', () => {
  it('leads to nothing while the content stays', () => {
    expect(looks(IN_USE, IN_USE)).toEqual([undefined, undefined]);
  });

  it('leads to a restart once new content was seen twice', () => {
    expect(looks(OTHER, OTHER)).toEqual([undefined, 'restart']);
  });

  it('waits while the content is still changing', () => {
    expect(looks(OTHER.slice(0, -8), OTHER.slice(0, -4), OTHER, OTHER)).toEqual([
      undefined,
      undefined,
      undefined,
      'restart',
    ]);
  });

  it('leads to nothing when the new content means the same', () => {
    expect(looks(SAME_MEANING, SAME_MEANING, SAME_MEANING)).toEqual([undefined, undefined, undefined]);
  });

  it('leads to one warning, and no restart, when the new content is not valid', () => {
    expect(looks(INVALID, INVALID, INVALID, INVALID)).toEqual([undefined, refusal, undefined, undefined]);
  });

  it('leads to a restart when a bad edit is put right with something new', () => {
    expect(looks(INVALID, INVALID, OTHER, OTHER)).toEqual([undefined, refusal, undefined, 'restart']);
  });

  it('leads to nothing when a bad edit is taken back, and warns of the same bad edit again later', () => {
    expect(looks(INVALID, INVALID, IN_USE, IN_USE, INVALID, INVALID)).toEqual([
      undefined,
      refusal,
      undefined,
      undefined,
      undefined,
      refusal,
    ]);
  });

  it('warns once of a file that is gone, and goes on when it is back', () => {
    const gone = { problem: 'ENOENT' };
    expect(looks(gone, gone, IN_USE, OTHER, OTHER)).toEqual([
      'the configuration file cannot be read: ENOENT',
      undefined,
      undefined,
      undefined,
      'restart',
    ]);
  });
});

describe('the watcher', () => {
  it('looks every two seconds, asks for one restart, and then rests', async () => {
    const clock = new FakeClock();
    const reads: number[] = [];
    let text = IN_USE;
    const said: string[] = [];
    watchConfigFile({
      file: { path: '/etc/proxy.yaml', text: IN_USE },
      config,
      load,
      readFile: async () => {
        reads.push(clock.monotonic());
        return text;
      },
      clock,
      onWarning: (line) => said.push(line),
      onRestart: () => said.push('restart'),
    });
    await clock.advance(4_000);
    text = OTHER;
    await clock.advance(10_000);
    expect(reads).toEqual([2_000, 4_000, 6_000, 8_000]);
    expect(said).toEqual(['restart']);
    expect(clock.nextTimerIn).toBeUndefined();
  });

  it('does nothing any more once stopped, even in the middle of a look', async () => {
    const clock = new FakeClock();
    const said: string[] = [];
    let finish = (_text: string) => {};
    const watcher = watchConfigFile({
      file: { path: '/etc/proxy.yaml', text: IN_USE },
      config,
      load,
      readFile: () => new Promise((resolve) => (finish = resolve)),
      clock,
      onWarning: (line) => said.push(line),
      onRestart: () => said.push('restart'),
    });
    await clock.advance(2_000);
    watcher.stop();
    finish(INVALID);
    await clock.advance(10_000);
    expect(said).toEqual([]);
    expect(clock.nextTimerIn).toBeUndefined();
  });
});
