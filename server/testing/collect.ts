import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** All events of a stream of batches. */
export async function collect<T>(batches: AsyncIterable<readonly T[]>): Promise<T[]> {
  const events: T[] = [];
  for await (const batch of batches) events.push(...batch);
  return events;
}

/** The text of an answer's events. */
export function textOfEvents(events: readonly { type: string; text?: string }[]): string {
  return events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('');
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'ivy-unit-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A folder that the caller removes: for what several tests share. */
export function unmanagedFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'ivy-unit-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A signal that nobody aborts. */
export function patience(): AbortSignal {
  return new AbortController().signal;
}

/** Waits until `check` holds; fails after ten seconds. */
export async function eventually(check: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it did not come true within ten seconds');
}
