import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { patience } from '../../testing/collect';
import { file, hasSharedDocuments, ingest, openKnowledgeBase, sharedDocuments } from '../../testing/knowledge';

/** Looked up by hand: `pages` are physical pages; `contains` is text of the right section. */
const QUESTIONS: { question: string; source: string; pages?: number[]; contains?: string }[] = [
  {
    question: 'What is the smallest block of memory I can hand to CFE_ES_PoolCreate?',
    source: 'cfe-app-developer-guide.pdf',
    pages: [20],
  },
  {
    question: 'Would the software bus tell 0x81FF and 0x01FF apart as message IDs?',
    source: 'cfe-app-developer-guide.pdf',
    pages: [26],
  },
  {
    question: 'May CFE_SB_GenerateChecksum be used on a telemetry packet, or is it only for commands?',
    source: 'cfe-app-developer-guide.pdf',
    pages: [30],
  },
  {
    question:
      'My app ends up calling CFE_EVS_Register twice. What becomes of the filters that were set up the first time?',
    source: 'cfe-app-developer-guide.pdf',
    pages: [35],
  },
  {
    question: 'Which buffering scheme should I pick for a table that gets read from an ISR or a time-critical loop?',
    source: 'cfe-app-developer-guide.pdf',
    pages: [39],
  },
  {
    question: 'What magic number should I see in the first word of a file written with the standard cFE header?',
    source: 'cfe-app-developer-guide.pdf',
    pages: [45],
  },
  {
    question: 'How far can I trust the clock when CFE_TIME_GetClockState comes back with CFE_TIME_FLYWHEEL?',
    source: 'cfe-app-developer-guide.pdf',
    pages: [48],
  },
  {
    question: 'What is SSR24 meant to cover - which two things must an app be able to let go of on the software bus?',
    source: 'cfe-requirements.docx',
    contains: 'relinquish any messaging resources',
  },
  {
    question:
      'Which combination of copy and pointer mode for send and receive did the Swift mission’s software bus offer?',
    source: 'cfe-requirements.docx',
    contains: 'On Swift: only 1 mode was offered',
  },
  {
    question:
      'We are dropping a requirement from the spec. What happens to its number, and what do we put in place of its wording?',
    source: 'cfe-requirements.docx',
    contains: 'Replace the text of a deleted requirement',
  },
];

describe.skipIf(!hasSharedDocuments)('real documents (skipped where ../shared/data/documents is absent)', () => {
  test('ten questions find the right page or section first', async () => {
    const { knowledge } = await openKnowledgeBase();
    for (const name of ['cfe-app-developer-guide.pdf', 'cfe-requirements.docx']) {
      expect(await ingest(knowledge, name, file(join(sharedDocuments, name)))).toMatchObject({ status: 'ready' });
    }
    const wrong: string[] = [];
    for (const { question, source, pages, contains } of QUESTIONS) {
      const { passages } = await knowledge.retrieve(
        { text: question, limit: 5, minScore: undefined, collections: undefined },
        patience(),
      );
      const [first] = passages;
      const right =
        first?.source === source && (pages ? pages.includes(first.page) : first.text?.includes(contains ?? ''));
      if (!right)
        wrong.push(`${question} → ${passages.map((passage) => `${passage.source} ${passage.page}`).join(', ')}`);
    }
    expect(wrong).toEqual([]);
  });

  test.each([
    ['libreoffice-writer-password.pdf', { status: 'failed', error: expect.stringContaining('password') }],
    [
      'imagemagick-images.pdf',
      {
        status: 'ready',
        notice: 'Pages 4, 5 (2 of 6) are pictures without a text layer, such as scans, and cannot be found.',
      },
    ],
    ['pdflatex-outline.pdf', { status: 'ready', pages: 4 }],
    ['habibi.pdf', { status: 'ready', pages: 1 }],
    ['google-doc-document.pdf', { status: 'ready', pages: 1 }],
  ])('%s', async (name, expected) => {
    const { knowledge } = await openKnowledgeBase();
    expect(await ingest(knowledge, name, file(join(sharedDocuments, name)))).toMatchObject(expected);
  });
});
