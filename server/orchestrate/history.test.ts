import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../testing/knowledge';
import { assistantMessage, userMessage } from '../testing/requests';
import { fingerprintsOf, type IssuedMarkers, withoutIssuedMarkers } from './history';

function memory(): IssuedMarkers & { asked: number } {
  const known = new Set<string>();
  return {
    asked: 0,
    async known(prints) {
      this.asked += 1;
      return new Set(prints.filter((print) => known.has(print)));
    },
    add: (prints) => prints.forEach((print) => void known.add(print)),
  };
}
const ANSWER = 'The fairing is 4 m wide [1][2]. Entry T[2] holds the bias, as [12] says. It weighs 940 kg. [1]';
const CITES = [...ANSWER.matchAll(/(?<= )\[1\]|(?<=\])\[2\]/g)].map(({ 0: marker, index }) => ({
  n: Number(marker[1]),
  at: index,
}));
const clean = async (issued: IssuedMarkers, text: string) =>
  (await withoutIssuedMarkers([userMessage('Q'), assistantMessage(text), userMessage('And?')], issued))[1];

test('the markers that Ivy gave out are taken out of earlier turns, and nothing else', async () => {
  const issued = memory();
  issued.add(fingerprintsOf(ANSWER, CITES));
  const expected = 'The fairing is 4 m wide. Entry T[2] holds the bias, as [12] says. It weighs 940 kg.';
  expect(await clean(issued, ANSWER)).toEqual(assistantMessage(expected));
  // Clients trim, wrap and cut what they keep.
  expect(await clean(issued, `\n${ANSWER.replaceAll(' ', '  ')}`)).toMatchObject({
    text: expect.not.stringContaining('[1]'),
  });
  expect(await clean(issued, ANSWER.slice(0, 40))).toEqual(assistantMessage('The fairing is 4 m wide. Entry T['));
});

test('text that Ivy did not write comes through character for character', async () => {
  const issued = memory();
  issued.add(fingerprintsOf(ANSWER, CITES));
  for (const text of [
    'It is 5 m wide [1].',
    'ADDR[15] and [0, 1]; [1] Alpha, [2] Beta',
    '[1]',
    'buf[1] = [0, 1];',
    '',
  ]) {
    expect(await clean(issued, text)).toEqual(assistantMessage(text));
  }
  const question = [userMessage(ANSWER)];
  expect(await withoutIssuedMarkers(question, issued)).toBe(question);
});

const folder = join(root, '..', 'shared', 'data', 'cases');
test.skipIf(!existsSync(folder))('a document of bus maps as an earlier turn is not touched', async () => {
  const text = readFileSync(join(folder, 'bus-map.md'), 'utf8');
  expect(await clean(memory(), text)).toEqual(assistantMessage(text));
});

test('without a marker nobody is asked, and many are asked about once', async () => {
  const issued = memory();
  await clean(issued, 'No marker here.');
  expect(issued.asked).toBe(0);
  await clean(issued, 'word [1] '.repeat(50_000));
  expect(issued.asked).toBe(1);
});
