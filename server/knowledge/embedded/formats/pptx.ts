import { type ParsedDocument, UnreadableDocument } from '../parsed';
import { readZip } from './archive';
import { mainPart, relationId, relations, titleOf } from './office';
import { type Cell, toGrid, toTable } from './table';
import { cleanText } from './text';
import { type Element, find, findAll, parseXml } from './xml';

const PRESENTATION = 'ppt/presentation.xml';
const FILES =
  /^(?:_rels\/\.rels|ppt\/(?:_rels\/)?[^/]+\.xml(?:\.rels)?|ppt\/(?:slides|notesSlides)\/(?:_rels\/)?[^/]+\.(?:xml|rels)|docProps\/core\.xml)$/;

/** A page for each slide in the order of the show: title, text, tables, and the speaker's notes. */
export function parsePptx(content: Buffer): ParsedDocument {
  const files = readZip(content, FILES);
  const path = mainPart(files, PRESENTATION);
  const presentation = files.get(path);
  if (!presentation) throw new UnreadableDocument('The presentation is damaged and cannot be read.');
  const targets = relations(files, path);
  const slides = findAll(parseXml(presentation), 'sldId').map(
    ({ attributes }) => targets.get(relationId(attributes)) ?? '',
  );
  const hidden: number[] = [];
  const pages = slides.map((path, index) => {
    // Its number stays, so that the others keep theirs.
    const slide = readSlide(files, path);
    if (slide === 'hidden') hidden.push(index + 1);
    const { title, text } = slide === 'hidden' ? NO_TEXT : slide;
    return { page: index + 1, heading: title, text: cleanText(text) };
  });
  const title = titleOf(files) ?? pages[0]?.heading ?? null;
  const notice = hidden.length > 0 ? `Hidden slides were left out: ${hidden.slice(0, 20).join(', ')}.` : null;
  return { title, pageKind: 'page', pages, notice };
}

const NO_TEXT: { title: string | null; text: string } = { title: null, text: '' };

function readSlide(files: ReadonlyMap<string, string>, path: string): typeof NO_TEXT | 'hidden' {
  const file = files.get(path);
  if (!file) return NO_TEXT;
  const slide = parseXml(file);
  if (['0', 'false'].includes(find(slide, 'sld')?.attributes['show'] ?? '1')) return 'hidden';
  const parts: string[] = [];
  let title: string | null = null;
  const read = (element: Element): void => {
    for (const child of element.children) {
      if (child.name === 'tbl') parts.push(readTable(child));
      else if (child.name === 'sp') {
        const kind = find(child, 'ph')?.attributes['type'];
        const lines = paragraphs(child);
        if (lines.length === 0 || kind === 'sldNum' || kind === 'ftr' || kind === 'dt') continue;
        if (title === null && (kind === 'title' || kind === 'ctrTitle')) {
          title = lines.join(' ');
          parts.unshift(`## ${title}`);
        } else parts.push(lines.join('\n'));
      } else read(child);
    }
  };
  read(slide);
  const notes = [...relations(files, path).values()].find((target) => target.startsWith('ppt/notesSlides/'));
  const spoken = notes ? readNotes(files.get(notes)) : '';
  if (spoken) parts.push(`Notes: ${spoken}`);
  return { title, text: parts.filter((part) => part !== '').join('\n\n') };
}

function readNotes(file: string | undefined): string {
  if (!file) return '';
  const bodies = findAll(parseXml(file), 'sp').filter((shape) => find(shape, 'ph')?.attributes['type'] === 'body');
  return bodies.flatMap(paragraphs).join('\n');
}

/** Paragraphs with text; indented ones become list items. */
function paragraphs(element: Element): string[] {
  return findAll(element, 'p').flatMap((paragraph) => {
    const text = textOf(paragraph);
    if (text === '') return [];
    const level = Number(find(paragraph, 'pPr')?.attributes['lvl'] ?? 0);
    return level > 0 ? [`${'  '.repeat(Math.min(level, 8) - 1)}- ${text}`] : [text];
  });
}

const textOf = (element: Element) =>
  findAll(element, 't')
    .map(({ text }) => text)
    .join('')
    .trim();

function readTable(table: Element): string {
  const rows = findAll(table, 'tr').map((row) =>
    findAll(row, 'tc')
      // What another cell reaches over is written out by the grid.
      .filter(({ attributes }) => !isTrue(attributes['hMerge']) && !isTrue(attributes['vMerge']))
      .map(
        (cell): Cell => ({
          text: paragraphs(cell).join(' '),
          columns: Number(cell.attributes['gridSpan'] ?? 1),
          rows: Number(cell.attributes['rowSpan'] ?? 1),
        }),
      ),
  );
  return toTable(toGrid(rows));
}

const isTrue = (value: string | undefined) => value === '1' || value === 'true';
