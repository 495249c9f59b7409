import { describe, expect, test } from 'vitest';
import { isIdentifier, toTerms } from './analyze';

describe('search terms', () => {
  test.each([
    ['The fairings were separated', ['fair', 'separ']],
    ['HED-FAI-REQ-0140', ['hed-fai-req-0140', 'hed', 'fai', 'req', '0140']],
    ['CFE_ES_PoolCreate', ['cfe_es_poolcreate', 'cfe', 'es', 'poolcreat', 'pool', 'creat']],
    ['clause 5.3.2.1', ['claus', '5.3.2.1']],
    ['die Überlagerungen und der Raum sind nicht gleich', ['uberlager', 'raum', 'gleich']],
    ['les valves de la fusée sont des vannes', ['valv', 'fuse', 'vann']],
  ])('of %j', (text, terms) => expect(toTerms(text)).toEqual(terms));

  test.each(['ces1001', '5.3.2.1', 'hed-fai-req-0140', 'cfe_es_poolcreate', 'ecss-e-st-32-08c'])(
    '%s names one thing',
    (term) => {
      expect(isIdentifier(term)).toBe(true);
    },
  );

  test.each(['valve', '1960s', '1972-1979', '10kg', '4.0', '42', 'state-of-the-art'])('%s does not', (term) => {
    expect(isIdentifier(term)).toBe(false);
  });
});
