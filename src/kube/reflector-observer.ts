import type { ApiErrorCode } from './errors.ts';
import type { Phase, RelistReason } from './reflector-state.ts';

/** What a reflector can be measured by; every member is optional and must be quick. */
export interface ReflectorObserver {
  /** A full state was taken over. `durationMs`: from the first request to the last object. */
  listed?(list: { objects: number; durationMs: number }): void;
  relist?(reason: RelistReason): void;
  watchOpened?(): void;
  /** Anything that came on a watch, by its type. */
  event?(type: string): void;
  /** A list or watch failed. */
  failed?(code: ApiErrorCode): void;
  /** An object could not be read and is not cached. */
  skipped?(): void;
  handlerFailed?(): void;
  phase?(name: Phase['name']): void;
}
