import { describe, expect, it } from 'vitest';
import { UndoStack } from '../../src/embedded/undo-stack.ts';

describe('UndoStack', () => {
  it('undoes in the opposite order, each step once, however often it is asked', async () => {
    const done: string[] = [];
    const stack = new UndoStack();
    stack.push(() => done.push('first'));
    stack.push(async () => done.push('second'));
    expect(stack.begun).toBe(false);
    await Promise.all([stack.undo(), stack.undo()]);
    expect(stack.begun).toBe(true);
    expect(done).toEqual(['second', 'first']);
  });

  it('goes on after a failure, and tells the first one', async () => {
    const done: string[] = [];
    const stack = new UndoStack();
    stack.push(() => done.push('first'));
    stack.push(() => Promise.reject(new Error('stuck')));
    stack.push(() => {
      throw new Error('broken');
    });
    await expect(stack.undo()).rejects.toThrow('broken');
    expect(done).toEqual(['first']);
  });

  it('lets the cause of a way out pass its own failures', async () => {
    const stack = new UndoStack();
    stack.push(() => Promise.reject(new Error('stuck')));
    await expect(stack.undoAndThrow(new Error('cause'))).rejects.toThrow('cause');
  });
});
