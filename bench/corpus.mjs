// A generated corpus of any size: made-up words with the frequencies of real text (Zipf), every document
// about a topic of its own, requirement identifiers in between. The same at every run.

const DOCUMENT_PASSAGES = 40;
const VOCABULARY = 30_000;
const TOPIC_WORDS = 200;
const ONSETS = [
  'b',
  'br',
  'c',
  'cl',
  'd',
  'dr',
  'f',
  'fl',
  'g',
  'gr',
  'h',
  'k',
  'l',
  'm',
  'n',
  'p',
  'pl',
  'r',
  's',
  'st',
  't',
  'tr',
  'v',
  'w',
];
const VOWELS = ['a', 'e', 'i', 'o', 'u', 'ai', 'ea', 'ou'];
const CODAS = ['', 'l', 'm', 'n', 'r', 's', 't', 'nd', 'rt', 'ck'];

function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const words = (() => {
  const random = randomNumbers(1);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const made = new Set();
  while (made.size < VOCABULARY) {
    const syllables = 1 + Math.floor(random() * 3);
    made.add(Array.from({ length: syllables }, () => pick(ONSETS) + pick(VOWELS) + pick(CODAS)).join(''));
  }
  return [...made];
})();

/** Rank r comes up in proportion to 1 / r. */
const zipf = (random) => Math.floor(Math.exp(random() * Math.log(VOCABULARY))) - 1;

/** Words of a document's topic: the rarer two thirds of the vocabulary. */
const topicWord = (document, random) =>
  words[(10_000 + ((document * 7_919 + Math.floor(random() ** 2 * TOPIC_WORDS) * 31) % 20_000)) % VOCABULARY];

function sentence(document, random) {
  const length = 8 + Math.floor(random() * 14);
  const text = Array.from({ length }, () => (random() < 0.35 ? topicWord(document, random) : words[zipf(random)])).join(
    ' ',
  );
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

/** Yields Markdown documents, name and text, that are cut into about `passages` passages altogether. */
export function* corpusPassages(passages) {
  for (let document = 0; document * DOCUMENT_PASSAGES < passages; document++) {
    const random = randomNumbers(document + 17);
    const sections = Array.from({ length: DOCUMENT_PASSAGES }, (_, section) => {
      let text = `REQ-${document}-${section} `;
      while (text.length < 1_150) text += `${sentence(document, random)} `;
      return `## ${section + 1} ${topicWord(document, random)} ${topicWord(document, random)}\n\n${text}`;
    });
    yield [`document-${document}.md`, `# ${topicWord(document, random)} manual\n\n${sections.join('\n\n')}\n`];
  }
}

/** A question of eight words about some document. */
export function corpusQuestion(number) {
  const random = randomNumbers(number * 31 + 5);
  const asked = Array.from({ length: 8 }, () => (random() < 0.6 ? topicWord(number * 3, random) : words[zipf(random)]));
  return `What is the ${asked.join(' ')}?`;
}
