import { describe, expect, test } from 'vitest';
import type { CitationStyle, RunEvent } from '../core/run';
import { cited } from '../testing/requests';
import { decideCitationStyle } from './citation-style';
import { CitationWriter } from './citation-writer';
import { ChunkEncoder } from './to-chunks';

const passages = [
  cited(1, { page: 45 }),
  cited(2, { page: 45, score: 0.4 }),
  cited(3, { documentId: undefined, source: 'https://evil.example/x', page: 0, text: undefined }),
];
const retrieval: Extract<RunEvent, { type: 'retrieval' }> = {
  type: 'retrieval',
  state: 'ok',
  query: 'q',
  passages,
  candidates: [],
  timings: {},
  durationMs: 1,
};
/** Text with its citations as the orchestrator reports them. */
const say = (text: string, ...numbers: number[]): RunEvent => ({
  type: 'text-delta',
  text,
  cites: numbers.map((n) => ({ n, at: text.lastIndexOf(`[${n}]`) })),
});
const head = { id: 'c', created: 1, model: 'm', requestId: 'r', includeUsage: false };

/** The chunks of a stream, parsed. */
function chunksOf(style: CitationStyle, events: readonly RunEvent[]) {
  const encoder = new ChunkEncoder(
    head,
    new CitationWriter(style, { publicUrl: 'https://ivy.example', requestId: 'req_1' }),
  );
  const frames = events
    .map((event) => encoder.encode([event]))
    .join('')
    .split('\n\n')
    .filter((frame) => frame !== '');
  return frames.map((frame) => JSON.parse(frame.slice('data: '.length)));
}

const answer = [
  retrieval,
  say('Größe 𝔘: 4 m [1].', 1),
  say(' Masse `x[1]` [2][3][9]', 2, 3),
  { type: 'finish', reason: 'stop' } as const,
];

describe('annotations', () => {
  test('come in one chunk before the finish, with code point offsets and links into the viewer', () => {
    const chunks = chunksOf('annotations', answer);
    const lists = chunks.filter((chunk) => chunk.choices[0].delta.annotations);
    expect(lists).toHaveLength(1);
    expect(chunks.indexOf(lists[0])).toBe(chunks.length - 2);
    const [first, second, third, ...rest] = lists[0].choices[0].delta.annotations;
    expect(rest).toEqual([]);
    expect(third.url_citation.url).toBe('https://ivy.example/view/run/req_1?n=3');
    expect(first).toEqual({
      type: 'url_citation',
      url_citation: {
        start_index: 13,
        end_index: 16,
        url: 'https://ivy.example/view/doc_1?page=45&passage=doc_1-1',
        title: 'ECSS-E-ST-32-08C.pdf · p. 45',
      },
    });
    const text = [...'Größe 𝔘: 4 m [1]. Masse `x[1]` [2][3][9]'];
    for (const { url_citation: citation } of [first, second, third]) {
      expect(text.slice(citation.start_index, citation.end_index).join('')).toMatch(/^\[[123]\]$/);
    }
  });

  test('however many stay in one line that clients can read', () => {
    const many = Array.from({ length: 2_000 }, () => say('[1]', 1));
    const [line] = chunksOf('annotations', [retrieval, ...many, { type: 'finish', reason: 'stop' }]).slice(-2);
    expect(JSON.stringify(line).length).toBeLessThan(60_000);
    expect(line.choices[0].delta.annotations.length).toBeGreaterThan(100);
  });

  test('an answer without citations has none', () => {
    const chunks = chunksOf('annotations', [retrieval, say('Nothing.'), { type: 'finish', reason: 'stop' }]);
    expect(chunks.some((chunk) => 'annotations' in chunk.choices[0].delta)).toBe(false);
  });
});

describe('Open WebUI', () => {
  const events = chunksOf('openwebui', answer).flatMap((chunk) => (chunk.event ? [chunk.event] : []));

  test('gets statuses and one source per chunk before the text, inside valid chunks', () => {
    const chunks = chunksOf('openwebui', answer);
    expect(chunks[0].choices[0].delta.role).toBe('assistant');
    const firstText = chunks.findIndex((chunk) => chunk.choices[0].delta.content);
    expect(chunks.slice(1, firstText).map((chunk) => chunk.event.type)).toEqual([
      'status',
      'status',
      'source',
      'source',
      'source',
    ]);
    for (const chunk of chunks) expect(chunk.choices).toHaveLength(1);
    expect(events[1]).toEqual({ type: 'status', data: { action: 'sources_retrieved', count: 3, done: true } });
    expect(JSON.stringify(chunks)).not.toContain('annotations');
  });

  test('can number the sources: unique names and ids, pages from 0, scores from 0 to 1, no address as a name', () => {
    const sources = events.filter((event) => event.type === 'source').map((event) => event.data);
    expect(new Set(sources.map((source) => source.metadata[0].source)).size).toBe(3);
    expect(sources.map((source) => source.metadata[0].name)).toEqual([
      'ECSS-E-ST-32-08C.pdf · p. 45',
      'ECSS-E-ST-32-08C.pdf · p. 45 (2)',
      ' https://evil.example/x · p. 0',
    ]);
    expect(sources.map((source) => source.metadata[0].page)).toEqual([44, 44, undefined]);
    expect(sources.map((source) => source.distances[0])).toEqual([0.8542, 0.4, 0.8542]);
    expect(sources.every((source) => !/^http/.test(source.metadata[0].source))).toBe(true);
    expect(sources[0].source.url).toBe('https://ivy.example/view/doc_1?page=45&passage=doc_1-1');
  });

  test('scores of another scale are brought into 0 to 1', () => {
    const foreign = { ...retrieval, passages: [cited(1, { score: 20 }), cited(2, { score: 5 })] };
    const sources = chunksOf('openwebui', [foreign]).flatMap((chunk) =>
      chunk.event?.type === 'source' ? [chunk.event.data.distances[0]] : [],
    );
    expect(sources).toEqual([1, 0.25]);
  });

  test('a long passage stays under 64 KiB a line', () => {
    const long = { ...retrieval, query: 'q'.repeat(200_000), passages: [cited(1, { text: '\u0001'.repeat(100_000) })] };
    const encoder = new ChunkEncoder(
      head,
      new CitationWriter('openwebui', { publicUrl: 'https://ivy.example', requestId: 'req_1' }),
    );
    for (const line of encoder.encode([long]).split('\n')) expect(Buffer.byteLength(line)).toBeLessThan(64 * 1024);
  });
});

test('footnotes name what was cited, after the text', () => {
  const text = chunksOf('footnotes', answer)
    .map((chunk) => chunk.choices[0].delta.content ?? '')
    .join('');
  expect(text).toMatch(
    /\[9\]\n\n\*\*Sources\*\*\n\n- \[1\] \[ECSS-E-ST-32-08C\.pdf · p\. 45\]\(https:\/\/ivy\.example\/view\/doc_1\?page=45&passage=doc_1-1\), score 0\.85\n- \[2\]/,
  );
});

test('the client decides by body, header, or by what it is', () => {
  const headers = (values: Record<string, string>) => new Headers(values);
  expect(decideCitationStyle(undefined, headers({}))).toBe('annotations');
  expect(decideCitationStyle(undefined, headers({ 'user-agent': 'Python/3.11 aiohttp/3.13' }))).toBe('openwebui');
  expect(decideCitationStyle(undefined, headers({ 'x-openwebui-task': '' }))).toBe('openwebui');
  expect(decideCitationStyle(undefined, headers({ 'x-openwebui-task': '', 'x-ivy-citations': 'None' }))).toBe('none');
  expect(decideCitationStyle('footnotes', headers({ 'x-ivy-citations': 'none' }))).toBe('footnotes');
  expect(decideCitationStyle(undefined, headers({ 'x-ivy-citations': 'none' }), 'footnotes')).toBe('none');
  expect(decideCitationStyle(undefined, headers({ 'x-openwebui-chat-id': 'x' }), 'footnotes')).toBe('footnotes');
});
