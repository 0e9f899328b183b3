/** What a queue tells an observer; every method may be left out. Durations are milliseconds. Must not throw. */
export interface WorkQueueHooks {
  /** A key that was not yet ready became ready. */
  onAdd?(): void;
  /** The number of ready keys changed. */
  onDepth?(depth: number): void;
  /** A key was taken after being ready for `waitedMs`. */
  onTake?(waitedMs: number): void;
  onDone?(workedMs: number): void;
  onRetry?(): void;
}
