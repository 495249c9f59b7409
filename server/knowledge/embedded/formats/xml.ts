import { XMLParser } from 'fast-xml-parser';
import { UnreadableDocument } from '../parsed';

/** An element in document order; `name` is without its namespace prefix. */
export interface Element {
  name: string;
  attributes: Record<string, string>;
  children: Element[];
  /** Text directly in it. */
  text: string;
}

type Ordered = Record<string, unknown>;

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  removeNSPrefix: true,
  trimValues: false,
  // Characters by number as well.
  htmlEntities: true,
  parseTagValue: false,
  parseAttributeValue: false,
});
/** Deeper than any document: recursion stays safe. */
const MAX_DEPTH = 200;

/** Throws `UnreadableDocument` for XML that is not well formed or defines entities of its own. */
export function parseXml(text: string): Element {
  // Entities are how a small file becomes a huge one (“billion laughs”), or asks for other files.
  if (/<!(?:DOCTYPE[^>]*\[|ENTITY)/i.test(text))
    throw new UnreadableDocument('The file defines XML entities, which Ivy does not read.');
  try {
    const root: Element = { name: '', attributes: {}, children: [], text: '' };
    fill(root, parser.parse(text) as Ordered[], 0);
    return root;
  } catch (error) {
    if (error instanceof UnreadableDocument) throw error;
    throw new UnreadableDocument('The file is damaged and cannot be read.', { cause: error });
  }
}

function fill(parent: Element, items: readonly Ordered[], depth: number): void {
  if (depth > MAX_DEPTH) throw new UnreadableDocument('The file is nested too deeply to be a document.');
  for (const item of items) {
    const attributes = (item[':@'] ?? {}) as Record<string, string>;
    for (const [name, value] of Object.entries(item)) {
      if (name === ':@') continue;
      if (name === '#text') parent.text += String(value);
      else {
        const element: Element = { name, attributes, children: [], text: '' };
        fill(element, value as Ordered[], depth + 1);
        parent.children.push(element);
      }
    }
  }
}

/** All descendants of a name, in document order. */
export function findAll(element: Element, name: string): Element[] {
  return element.children.flatMap((child) => (child.name === name ? [child] : findAll(child, name)));
}

export function find(element: Element, name: string): Element | undefined {
  return findAll(element, name)[0];
}

/** `../media/x` seen from a folder of the archive; never leaves it. */
export function resolvePath(folder: string, target: string): string {
  const parts: string[] = target.startsWith('/') ? [] : folder.split('/').filter(Boolean);
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}
