import { describe, expect, it } from 'vitest';
import { appendLine, renderSection } from '../../../src/proxy/iptables/render.ts';
import { comment, rule, splitWords } from '../../../src/proxy/iptables/words.ts';

describe('words', () => {
  it('of a comment are quoted when there are several', () => {
    expect([comment('ns/svc:p80'), comment('ns/svc cluster IP')]).toEqual([
      '-m comment --comment ns/svc:p80',
      '-m comment --comment "ns/svc cluster IP"',
    ]);
  });

  it('that are empty leave no gap', () => expect(rule('', 'a', '', 'b', '')).toBe('a b'));

  it.each<[string, string[]]>([
    ['-A  X\t-j Y ', ['-A', 'X', '-j', 'Y']],
    ['--comment "a b" -j X', ['--comment', 'a b', '-j', 'X']],
    ['--comment "say \\"hi\\" \\\\ "', ['--comment', 'say "hi" \\ ']],
    ['--comment "" x', ['--comment', '', 'x']],
    ['a"b c"d', ['ab cd']],
    ['a\\b', ['a\\b']],
    ['', []],
  ])('of %j', (line, words) => expect(splitWords(line)).toEqual(words));

  it('need their quotes closed', () => {
    expect(() => splitWords('-m "x')).toThrow(new SyntaxError('quote left open in "-m \\"x"'));
  });
});

it('a section declares its chains before their rules', () => {
  const lines = [appendLine('A', '-j B'), '-X C'];
  expect(renderSection({ table: 'nat', chains: ['A', 'C'], lines })).toBe(
    '*nat\n:A - [0:0]\n:C - [0:0]\n-A A -j B\n-X C\nCOMMIT\n',
  );
});
