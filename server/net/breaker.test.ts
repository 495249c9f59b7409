import { expect, test } from 'vitest';
import { Breaker } from './breaker';

const down = () => Promise.reject(new Error('down'));

test('after five failures the dependency is left alone for a while, then one call tries it', async () => {
  let now = 0;
  const breaker = new Breaker('The agent', () => now);
  for (let tries = 0; tries < 5; tries++) await expect(breaker.run(down, () => true)).rejects.toThrow('down');
  let called = 0;
  const up = async () => {
    called += 1;
    return 'up';
  };
  await expect(breaker.run(up, () => true)).rejects.toMatchObject({
    code: 'provider_unavailable',
    retryAfterSeconds: 15,
  });
  expect(called).toBe(0);
  now = 15_001;
  await expect(breaker.run(down, () => true)).rejects.toThrow('down');
  await expect(breaker.run(up, () => true)).rejects.toMatchObject({ code: 'provider_unavailable' });
  now = 30_100;
  expect(await breaker.run(up, () => true)).toBe('up');
  expect(await breaker.run(up, () => true)).toBe('up');
});

test('failures that are not the dependency’s, or long past, do not count', async () => {
  let now = 0;
  const breaker = new Breaker('The agent', () => now);
  for (let tries = 0; tries < 9; tries++) await expect(breaker.run(down, () => false)).rejects.toThrow('down');
  for (let tries = 0; tries < 9; tries++) {
    now += 10_000;
    await expect(breaker.run(down, () => true)).rejects.toThrow('down');
  }
});
