import { detectPdf, extractPagesMarkdownAsync, extractTextWithPositions } from '@firecrawl/pdf-inspector';
import { joinNotices, type ParsedDocument, type TextRun, UnreadableDocument } from '../parsed';
import { readWithPdfJs } from './pdf-js';
import { toLines, toText, withoutRunningLines } from './pdf-lines';
import { continueHeads, splitAtCaptions, withTables } from './pdf-tables';
import { firstHeading } from './sections';
import { cleanText } from './text';

/** Pages `from` to `to`, counted from 1. */
export interface PageRange {
  from: number;
  to: number;
}

/** Why a page has no text. */
type Gap = 'scan' | 'fonts';

/** Pages of Markdown. Text that the reader of layouts gives up on is taken as it stands on the page. */
export async function parsePdf(content: Buffer, range?: PageRange): Promise<ParsedDocument> {
  let pages: { page: number; text: string }[];
  let total: number;
  let title: string | undefined;
  try {
    const file = detectPdf(content);
    total = file.pageCount;
    title = file.title;
    const wanted = range && numbersOf(range, total).map((page) => page - 1);
    const result = await extractPagesMarkdownAsync(content, wanted);
    // Pages come in order but are numbered from 0.
    pages = [...result.pages]
      .sort((a, b) => a.page - b.page)
      .map(({ page, markdown }) => ({ page: page + 1, text: markdown }));
  } catch (error) {
    if (/encrypt|password/i.test(String(error))) throw protectedByPassword();
    const texts = await readWithPdfJs(content, range);
    total = texts.total;
    pages = texts.pages;
  }
  const placed = readPlaces(content, range && numbersOf(range, total));
  const gaps = new Map<number, Gap>();
  for (const page of pages) {
    const onPage = placed.get(page.page);
    page.text = cleanText(page.text);
    if (hasText(page.text)) {
      if (onPage) page.text = withTables(page.text, toLines(onPage.runs));
    } else if (onPage && onPage.runs.length > 0) {
      const text = cleanText(toText(toLines(onPage.runs)));
      if (isReadable(text)) page.text = text;
      else gaps.set(page.page, 'fonts');
    } else if (onPage?.pictures) gaps.set(page.page, 'scan');
  }
  await fillFonts(content, pages, gaps);
  await divideGlued(content, pages);
  const texts = continueHeads(withoutRunningLines(pages.map(({ text }) => splitAtCaptions(text))));
  return {
    title: usable(title) ?? firstHeading((texts[0] ?? '').split('\n')),
    pageKind: 'page',
    pages: pages.map(({ page }, index) => ({
      page,
      heading: null,
      text: texts[index] ?? '',
      runs: placed.get(page)?.runs.map(({ text, box }): TextRun => ({ text, box })) ?? [],
    })),
    notice: noticeOf(gaps, pages.length),
    total,
    gaps: gaps.size,
  };
}

const numbersOf = ({ from, to }: PageRange, total: number): number[] =>
  Array.from({ length: Math.max(0, Math.min(to, total) - from + 1) }, (_, index) => from + index);

const protectedByPassword = () =>
  new UnreadableDocument('The PDF is protected by a password. Remove the protection and add it again.');

/** Letters or digits of any script: a page of part codes or bare values is a page with text. */
const hasText = (text: string) => /[\p{L}\p{N}]/u.test(text);

/** Signs that a font does not say the meaning of. */
const UNKNOWN_SIGNS = /[\ufffd\p{Cc}\p{Co}]/gu;
const MAX_UNKNOWN_SHARE = 0.2;

function isReadable(text: string): boolean {
  const signs = text.replace(/\s/g, '');
  const unknown = signs.match(UNKNOWN_SIGNS)?.length ?? 0;
  return hasText(text) && unknown <= signs.length * MAX_UNKNOWN_SHARE;
}

/** Fonts that name their characters only by a table that every reader is expected to have: the second reader has them. */
async function fillFonts(
  content: Buffer,
  pages: { page: number; text: string }[],
  gaps: Map<number, Gap>,
): Promise<void> {
  const unreadable = [...gaps].filter(([, gap]) => gap === 'fonts').map(([page]) => page);
  if (unreadable.length === 0) return;
  const again = await readWithPdfJs(content, undefined, unreadable).catch(() => undefined);
  for (const { page, text } of again?.pages ?? []) {
    const clean = cleanText(text);
    const known = pages.find((candidate) => candidate.page === page);
    if (!known || !isReadable(clean)) continue;
    known.text = clean;
    gaps.delete(page);
  }
}

/** Words that tightly set lines run together: longer than words are. */
const GLUED = /(?:\p{L}|[,.;:’'()“”]){24,}/gu;

/** Where words have run together, the second reader knows the blanks between them. Letters never change. */
async function divideGlued(content: Buffer, pages: { page: number; text: string }[]): Promise<void> {
  const glued = pages.filter(({ text }) => text.search(GLUED) >= 0);
  if (glued.length === 0) return;
  const numbers = glued.map(({ page }) => page);
  const again = await readWithPdfJs(content, undefined, numbers).catch(() => undefined);
  const texts = new Map(again?.pages.map(({ page, text }) => [page, text]));
  for (const page of glued) page.text = divided(page.text, texts.get(page.page) ?? '');
}

/** The glued words of a text, with the blanks that the same letters have in another reading. */
function divided(text: string, reading: string): string {
  const places: number[] = [];
  let letters = '';
  for (let index = 0; index < reading.length; index++) {
    const sign = reading.charAt(index);
    if (/\s/.test(sign)) continue;
    places.push(index);
    letters += sign;
  }
  return text.replace(GLUED, (word) => {
    const at = letters.indexOf(word);
    if (at < 0) return word;
    const [from, to] = [places[at] ?? 0, places[at + word.length - 1] ?? 0];
    return reading.slice(from, to + 1).replace(/\s+/g, ' ');
  });
}

const NAMED_PAGES = 12;

function noticeOf(gaps: ReadonlyMap<number, Gap>, pages: number): string | null {
  const of = (gap: Gap) => [...gaps].filter(([, kind]) => kind === gap).map(([page]) => page);
  const named = (list: readonly number[], one: string, several: string) => {
    if (list.length === 0) return undefined;
    const shown = list.slice(0, NAMED_PAGES).join(', ');
    const more = list.length > NAMED_PAGES ? ` and ${list.length - NAMED_PAGES} more` : '';
    const subject = list.length === 1 ? 'Page' : 'Pages';
    return `${subject} ${shown}${more} (${list.length} of ${pages}) ${list.length === 1 ? one : several} and cannot be found.`;
  };
  const notices = [
    named(
      of('scan'),
      'is a picture without a text layer, such as a scan,',
      'are pictures without a text layer, such as scans,',
    ),
    named(of('fonts'), 'has text in fonts that cannot be read', 'have text in fonts that cannot be read'),
  ];
  return joinNotices(...notices);
}

export interface PlacedRun extends TextRun {
  size: number;
  bold: boolean;
}

interface Placed {
  runs: PlacedRun[];
  pictures: boolean;
}

/** The text of each page with its places, as a viewer shows the page; nothing when they cannot be read. */
function readPlaces(content: Buffer, only: number[] | undefined): Map<number, Placed> {
  const pages = new Map<number, Placed>();
  try {
    // These pages are numbered from 1.
    for (const item of extractTextWithPositions(content, only, { frame: 'display' })) {
      const { page, text, x, y, width, height } = item;
      let placed = pages.get(page);
      if (!placed) {
        placed = { runs: [], pictures: false };
        pages.set(page, placed);
      }
      if (item.itemType === 'Image') placed.pictures = true;
      if (item.itemType !== 'Text') continue;
      // Text stands on its baseline; a fifth of its height hangs below.
      const box: TextRun['box'] = [x, y - height / 5, x + width, y + height];
      placed.runs.push({ text, box, size: item.fontSize || height, bold: item.isBold });
    }
  } catch {
    // The text itself was read: only its places are missing.
  }
  return pages;
}

/** The title in the file's own properties, unless it is just the name of a file or program. */
function usable(property: string | undefined): string | null {
  const title = property?.normalize('NFC').trim();
  return title &&
    !/^(microsoft|\(?(?:untitled|anonymous|unspecified)|print|https?:)|\.(docx?|pdf|html?|indd|tex|dvi)$/i.test(title)
    ? title.slice(0, 200)
    : null;
}
