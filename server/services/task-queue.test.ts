import { expect, test, vi } from 'vitest';
import { patience } from '../testing/collect';
import { TaskQueue } from './task-queue';

/** A queue whose chores note when they begin. */
function setUp() {
  vi.useFakeTimers();
  const queue = new TaskQueue();
  const began: string[] = [];
  const chore = async (name: string, signal = patience()) => {
    const leave = await queue.task(signal);
    began.push(name);
    return leave;
  };
  return { queue, began, chore };
}

test('a chore that came first lets the question overtake it and waits for its end', async () => {
  const { queue, began, chore } = setUp();
  void chore('title');
  await vi.advanceTimersByTimeAsync(50);
  const over = queue.question();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(began).toEqual([]);
  over();
  await vi.advanceTimersByTimeAsync(1);
  expect(began).toEqual(['title']);
});

test('chores run one at a time; one that is given up hands its turn on', async () => {
  const { began, chore } = setUp();
  const first = chore('title');
  const controller = new AbortController();
  const second = chore('tags', controller.signal);
  void chore('follow-ups');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(began).toEqual(['title']);
  controller.abort(new Error('gone'));
  await expect(second).rejects.toThrow('gone');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(began).toEqual(['title']);
  (await first)();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(began).toEqual(['title', 'follow-ups']);
});

test('under constant load a chore still gets its turn', async () => {
  const { queue, began, chore } = setUp();
  queue.question();
  void chore('title');
  await vi.advanceTimersByTimeAsync(59_000);
  expect(began).toEqual([]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(began).toEqual(['title']);
});
