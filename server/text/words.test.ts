import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foldLetters } from './fold';
import { detectLanguage, ENGLISH, LANGUAGES, languageOf } from './language';
import { contentStems, isIdentifier, toWords } from './words';

const surfaces = (text: string) => toWords(text, []).map(({ surface }) => surface);

describe('words', () => {
  test.each([
    ['HED-FAI-REQ-0140', ['hed-fai-req-0140', 'hed', 'fai', 'req', '0140']],
    ['CFE_ES_PoolCreate', ['cfe_es_poolcreate', 'cfe', 'es', 'poolcreate', 'pool', 'create']],
    ['clause 5.3.2.1', ['clause', '5.3.2.1']],
    ['37.5 and 12,5', ['37.5', 'and', '12,5']],
    ["L'étanchéité d'huile dell'acqua O'Brien's", ['etancheite', 'huile', 'acqua', 'obrien']],
    ['Straße STRASSE', ['strasse', 'strasse']],
    ['PLT‑RES–0032 PLT−RES-00­32 PLT​-RES-0032', Array(3).fill(['plt-res-0032', 'plt', 'res', '0032']).flat()],
    ['冷却泵', ['冷却', '却泵']],
    ['毎分42リットル', ['毎分', '42', 'リッ', 'ット', 'トル']],
    ['泵', ['泵']],
    ['REQ-001は', ['req-001', 'req', '001', 'は']],
    ['a satura-\ntion of', ['a', 'saturation', 'of']],
    ['its satura- tion', ['its', 'saturation']],
    ['pre- and post-launch', ['pre', 'and', 'post-launch', 'post', 'launch']],
    [
      'the fail-safe valve is fail-\nsafe',
      ['the', 'fail-safe', 'fail', 'safe', 'valve', 'is', 'fail-safe', 'fail', 'safe'],
    ],
  ])('of %j', (text, words) => expect(surfaces(text)).toEqual(words));

  test('of Thai are those of a dictionary', () => {
    expect(surfaces('ปั๊มน้ำหล่อเย็น').length).toBeGreaterThan(1);
    expect(surfaces('ปั๊มน้ำ')).toEqual(expect.arrayContaining(surfaces('ปั๊ม')));
  });

  test('hyphenated words are also written without', () => {
    expect(toWords('fail-safe', [])[0]?.stems).toEqual(['failsafe']);
    expect(toWords('ISO-9001', [])[0]?.stems).toEqual(['iso9001']);
  });

  test('stems keep what the accents say', () => {
    const french = languageOf('fr');
    expect(toWords('vérifiées', french ? [french] : [])[0]).toMatchObject({ surface: 'verifiees', stems: ['verifi'] });
  });

  test.each(['ces1001', '5.3.2.1', 'hed-fai-req-0140', 'cfe_es_poolcreate', 'ecss-e-st-32-08c'])(
    '%s names one thing',
    (term) => expect(isIdentifier(term)).toBe(true),
  );
  test.each(['valve', '1960s', '1972-1979', '10kg', '4.0', '42', 'state-of-the-art'])('%s does not', (term) =>
    expect(isIdentifier(term)).toBe(false),
  );

  test('a word is the same however it is written: case, accents, width, invisible signs', () => {
    const word = fc.constantFrom(
      'Prüfung',
      'étanchéité',
      'Größe',
      'насос',
      '整流罩',
      'PLT-RES-0032',
      'MAX_RATE_HZ',
      'ポンプ',
    );
    fc.assert(
      fc.property(word, fc.constantFrom('', '\u00ad', '\u200b', '\ufeff'), fc.nat(), (text, sign, at) => {
        const place = at % (text.length + 1);
        const written = text.slice(0, place) + sign + text.slice(place);
        expect(surfaces(written)).toEqual(surfaces(text));
        expect(surfaces(text.normalize('NFD'))).toEqual(surfaces(text));
        expect(surfaces(text.toUpperCase())[0]).toBe(surfaces(text)[0]);
      }),
    );
  });

  test('any text has words, in time that grows with its length', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => {
        for (const { surface } of toWords(text, LANGUAGES)) expect(surface).not.toBe('');
      }),
    );
    for (const unit of ['a', '-', ' ', '\n', 'a-', '- ', "a'", '.', '漢', '#', '|', 'A1']) {
      expect(() => toWords(unit.repeat(300_000 / unit.length), [ENGLISH])).not.toThrow();
    }
  }, 20_000);
});

test.each([
  ['Wie viele Dreiecke braucht man für einen Torus?', 'de'],
  ['What is the mass of the fairing?', 'en'],
  ['Quelle est la pression de la vanne ?', 'fr'],
  ['¿Cuál es la masa de la cofia?', 'es'],
  ['Qual è la massa della carenatura?', 'it'],
  ['Какой расход насоса?', 'ru'],
  ['CFE_ES_PoolCreate', undefined],
  ['整流罩的质量', undefined],
])('the language of %j is %j', (text, code) => expect(detectLanguage(text)?.code).toBe(code));

test('stems of the words that carry meaning', () => {
  expect(contentStems('The fairings were separated', ENGLISH)).toEqual(['fair', 'separ']);
});

test('letters are folded, and nothing else', () => {
  expect(foldLetters('Ça coûte ½ Ærø ﬁn Ａ１')).toBe('Ca coute 1⁄2 AEro fin A1');
  expect(foldLetters('が ガ 한국')).toBe('が ガ 한국');
});
