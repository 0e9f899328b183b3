import { randomUUID } from 'node:crypto';
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A container whose root cannot be written to has the second all the same. */
const FOLDERS = [tmpdir(), '/dev/shm'];

/**
 * Opens a file that holds `text`, to be read from its start, and that has no name any more: it goes with the last who has it open.
 * @returns its descriptor, which the caller closes. @throws Error of the last of `folders` when none can be written to
 */
export function namelessFile(text: string, folders: readonly string[] = FOLDERS): number {
  let failure: unknown = new RangeError('no folders to try');
  for (const folder of folders) {
    let file: number;
    const path = join(folder, `slicewise-${randomUUID()}`);
    try {
      file = openSync(path, 'wx+', 0o600);
    } catch (error) {
      failure = error;
      continue;
    }
    unlinkSync(path);
    fill(file, Buffer.from(text));
    return file;
  }
  throw failure;
}

/** At given positions, so that the descriptor's own stays at the start. */
function fill(file: number, bytes: Buffer): void {
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, at);
  } catch (error) {
    closeSync(file);
    throw error;
  }
}
