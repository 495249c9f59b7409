import { type ParsedDocument, UnreadableDocument } from '../parsed';
import { readZip } from './archive';
import { relationId, relations, titleOf } from './office';
import { toTable } from './table';
import { cleanText } from './text';
import { type Element, find, findAll, parseXml } from './xml';

const PRESENTATION = 'ppt/presentation.xml';
const FILES =
  /^(?:ppt\/(?:_rels\/)?presentation\.xml(?:\.rels)?|ppt\/(?:slides|notesSlides)\/(?:_rels\/)?[^/]+\.(?:xml|rels)|docProps\/core\.xml)$/;

/** A page for each slide in the order of the show: title, text, tables, and the speaker's notes. */
export function parsePptx(content: Buffer): ParsedDocument {
  const files = readZip(content, FILES);
  const presentation = files.get(PRESENTATION);
  if (!presentation) throw new UnreadableDocument('The presentation is damaged and cannot be read.');
  const targets = relations(files, PRESENTATION);
  const slides = findAll(parseXml(presentation), 'sldId').map(
    ({ attributes }) => targets.get(relationId(attributes)) ?? '',
  );
  const pages = slides.map((path, index) => {
    const { title, text } = readSlide(files, path);
    return { page: index + 1, heading: title, text: cleanText(text) };
  });
  const title = titleOf(files) ?? pages[0]?.heading ?? null;
  return { title, pageKind: 'page', pages, notice: null };
}

function readSlide(files: ReadonlyMap<string, string>, path: string): { title: string | null; text: string } {
  const file = files.get(path);
  if (!file) return { title: null, text: '' };
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
  read(parseXml(file));
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
  return toTable(findAll(table, 'tr').map((row) => findAll(row, 'tc').map((cell) => paragraphs(cell).join(' '))));
}
