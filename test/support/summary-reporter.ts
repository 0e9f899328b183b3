import type { Reporter, TestModule } from 'vitest/node';

/** Closes a run with the plain line `N passed, N failed, N skipped`, which build systems can read whatever the runner. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      let tests = 0;
      for (const test of module.children.allTests()) {
        tests++;
        const { state } = test.result();
        count[state === 'pending' ? 'skipped' : state]++;
      }
      // A module that could not even be loaded has no tests, and must not count as nothing.
      if (tests === 0 && module.state() === 'failed') count.failed++;
    }
    // After the default reporter's own summary.
    process.once('exit', () => {
      process.stdout.write(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped\n`);
    });
  }
}
