import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..', '..');

/** A fenced block of a page, without the indentation of the list that it stands in. */
export interface Block {
  language: string;
  text: string;
  /** Of the first line of its text. */
  line: number;
}

/** A page of docs/, taken apart. */
export class Page {
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];

  /** `path`: from the root of the repository. */
  constructor(path: string) {
    this.path = path;
    this.text = readFileSync(join(ROOT, path), 'utf8');
    this.blocks = [...this.text.matchAll(/^( *)```(\w+)\n([\s\S]*?)^ *```$/gm)].map((found) => {
      const [, indent = '', language = '', text = ''] = found;
      const line = this.text.slice(0, found.index).split('\n').length + 1;
      return { language, text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''), line };
    });
  }

  /** What stands in backticks, outside of blocks. */
  get code(): string[] {
    const prose = this.text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
    return [...prose.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code.replaceAll(/\s*\n\s*/g, ' '));
  }

  /** Where its links lead. */
  get links(): string[] {
    return [...this.text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  }

  /** The fragments that lead to its headings, as GitHub makes them. */
  get anchors(): string[] {
    return [...this.text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );
  }
}
