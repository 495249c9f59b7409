import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ENGLISH, LANGUAGES } from '../../text/language';
import { toWords } from '../../text/words';
import { eachStored, formsOf, formsOfStored, marksOf, toQuery, toTerms, weigh } from './terms';

const weights = (question: string, standing: readonly string[]) =>
  weigh(toQuery(question), new Map(standing.map((term) => [term, 1])));

describe('stored terms', () => {
  /** All forms of the words of stored terms. */
  const forms = (terms: string) => {
    const all: string[][] = [];
    eachStored(
      terms,
      (word, language) => all.push([...formsOfStored(word, language)]),
      () => {},
    );
    return all;
  };

  test('give the surface beside the stem, and no function word of their language', () => {
    const terms = toTerms('The fairings were separated', ENGLISH);
    expect(terms).toBe('|=en fairings separated');
    expect(forms(terms)).toEqual([
      ['fairings', 'fair'],
      ['separated', 'separ'],
    ]);
  });

  test('give the forms that a question has, in every language and notation', () => {
    const text =
      "Größe GRÖSSE l’étanchéité fail-safe ISO-9001 CFE_ES_PoolCreate 5.3.2.1 1,5 O'Brien 密封圈 バネ สปริง ІМПУЛЬС Ελέγχεται İzmir satura-\ntion maßgeblich";
    const any = fc.string({ unit: 'grapheme', maxLength: 40 });
    fc.assert(
      fc.property(fc.oneof(fc.constant(text), any), fc.constantFrom(...LANGUAGES), (words, language) => {
        const expected = toWords(words, [language])
          .filter(({ surface, written }) => !language.stopWords.has(surface) || /^\p{Lu}[\p{Lu}\p{N}]+$/u.test(written))
          .map(({ surface, stems }) => [surface, ...stems]);
        expect(forms(toTerms(words, language))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  test('keep acronyms that are function words in small letters', () => {
    expect(toTerms('The IT department', ENGLISH)).toContain('it');
    expect(toTerms('it is', ENGLISH)).toBe('');
  });

  test('of a text in an unknown language hold every word, with the stems of all languages', () => {
    expect(forms(toTerms('Trennfedern', undefined))).toEqual([expect.arrayContaining(['trennfedern', 'trennfed'])]);
  });
});

describe('marks', () => {
  const marks = (text: string, heading: string | null = null, names: string[] = []) =>
    marksOf({ text, heading, names });

  test('tell which identifiers and clauses a passage defines', () => {
    expect(marks('HED-FAI-REQ-0140: The fairing shall open.')).toEqual(['#hedfaireq0140']);
    expect(marks('#### 3.1.1.1 Quasi-static loads')).toEqual(['#3.1.1.1', '#3.1.1.1', '#3.1.1.1']);
    expect(marks('| SSR24 | The cFE shall release. |')).toEqual(['#ssr24']);
    expect(marks('See clause 3.1.1.1 and HED-FAI-REQ-0140.')).toEqual([]);
  });

  test('a table of contents defines nothing', () => {
    expect(marks('3.1 The package name . . . . . . . . 13\n3.2 The version . . . . . 14')).toEqual([]);
  });

  test('name the document', () => {
    expect(marks('text', null, ['ECSS-E-ST-32-08C'])).toEqual(['@ecssest3208c']);
  });
});

describe('a question', () => {
  test('has its words counted, and there is an end to them', () => {
    const { words } = toQuery('valve valves valve valve valve valve');
    expect(words.map(({ surface, count }) => [surface, count])).toEqual([
      ['valve', 4],
      ['valves', 1],
    ]);
    const many = Array.from({ length: 500 }, (_, n) => `word${String.fromCharCode(97 + (n % 26))}x${n}`);
    expect(toQuery(many.join(' ')).words).toHaveLength(48);
  });

  test.each([
    ['clause 3.1', ['3.1']],
    ['What does section 27.4 say?', ['27.4']],
    ['§ 4.2', ['4.2']],
    ['Was steht in Abschnitt 3.2?', ['3.2']],
    ['第3.1节', ['3.1']],
    ['5.3.2.1', ['5.3.2.1']],
    ['a mass of 3.1 kg', []],
  ])('%j names the clauses %j', (question, clauses) => {
    const named = toQuery(question).words.filter(({ kind, surface }) => kind === 'identifier' && /^\d/.test(surface));
    expect(named.map(({ surface }) => surface)).toEqual(clauses);
  });

  test('of function words alone keeps them', () => {
    expect(toQuery('what is it').words.map(({ surface }) => surface)).toEqual(['what', 'is', 'it']);
  });
});

describe('weights', () => {
  test('a word is shared among those of its forms that stand', () => {
    expect(weights('fairings', ['fairings', 'fair'])).toEqual(
      new Map([
        ['fairings', expect.closeTo(0.3)],
        ['fair', expect.closeTo(0.7)],
      ]),
    );
    expect(weights('fairings', ['fair'])).toEqual(new Map([['fair', 1]]));
    expect(weights('fairings', [])).toEqual(new Map([['fairings', 1]]));
  });

  test('the language of a question never decides whether its own word is found', () => {
    for (const question of ['Trennfedern', 'the Trennfedern', 'les Trennfedern', 'Trennfedern?']) {
      expect(weights(question, ['trennfedern']).has('trennfedern')).toBe(true);
    }
  });

  test('an identifier counts where it is defined, and in the document of its name', () => {
    const found = weights('clause 3.1.1.1 of ECSS-E-ST-32-08C', ['3.1.1.1', '#3.1.1.1', '@ecssest3208c']);
    expect([...found.keys()]).toEqual(expect.arrayContaining(['3.1.1.1', '#3.1.1.1', '@ecssest3208c']));
  });

  test('every weight is positive and belongs to a form of the question', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (question) => {
        const query = toQuery(question);
        const forms = formsOf(query);
        const found = weigh(query, new Map(forms.filter((_, index) => index % 2 === 0).map((form) => [form, 1])));
        for (const [term, weight] of found) {
          expect(weight).toBeGreaterThan(0);
          expect(forms).toContain(term);
        }
      }),
    );
  });
});
