import { relative } from 'node:path';
import type { TestSpecification, Vitest } from 'vitest/node';
import { BaseSequencer } from 'vitest/node';

/** Folders whose files take half a minute and more, most of it waiting for processes and packets. */
const LONG = ['test/e2e/kind/', 'test/e2e/demo/', 'test/e2e/dataplane/', 'test/e2e/ha/', 'test/commands/'];

/** Begins with the longest files, so that none of them is left to run alone at the end. A fresh clone has no times to go by. */
export class LongestFirst extends BaseSequencer {
  readonly #root: string;

  constructor(vitest: Vitest) {
    super(vitest);
    this.#root = vitest.config.root;
  }

  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const path = relative(this.#root, moduleId);
      const at = LONG.findIndex((folder) => path.startsWith(folder));
      return at === -1 ? LONG.length : at;
    };
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => rank(a) - rank(b));
  }
}
