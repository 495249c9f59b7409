import { XMLParser } from 'fast-xml-parser';
import { UnreadableDocument } from '../parsed';

/** An element in document order; `name` is without its namespace prefix, attributes have theirs. */
export interface Element {
  name: string;
  attributes: Record<string, string>;
  /** Where text and elements are mixed, its pieces are children of the name `#text`. */
  children: Element[];
  /** Text directly in it. */
  text: string;
}

type Ordered = Record<string, unknown>;

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
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
  refuseEntities(text);
  try {
    const root: Element = { name: '', attributes: {}, children: [], text: '' };
    fill(root, parser.parse(text) as Ordered[], 0);
    return root;
  } catch (error) {
    if (error instanceof UnreadableDocument) throw error;
    throw new UnreadableDocument('The file is damaged and cannot be read.', { cause: error });
  }
}

/** Entities are how a small file becomes a huge one (“billion laughs”), or asks for other files. */
function refuseEntities(text: string): void {
  if (/<!(?:DOCTYPE[^<>[]*\[|ENTITY)/i.test(text))
    throw new UnreadableDocument('The file defines XML entities, which Ivy does not read.');
}

/** The elements of a name, which do not hold each other, one at a time: the tree of a whole huge file takes gigabytes. */
export function* eachElement(text: string, name: string): Iterable<Element> {
  refuseEntities(text);
  const opening = new RegExp(`<((?:\\w+:)?${name})(?=[\\s/>])[^<>]*>`, 'g');
  for (let found = opening.exec(text); found; found = opening.exec(text)) {
    const closing = `</${found[1]}>`;
    const close = found[0].endsWith('/>') ? -1 : text.indexOf(closing, opening.lastIndex);
    const end = close < 0 ? opening.lastIndex : close + closing.length;
    if (close < 0 && !found[0].endsWith('/>')) throw new UnreadableDocument('The file is damaged and cannot be read.');
    const [element] = parseXml(text.slice(found.index, end)).children;
    if (element) yield element;
    opening.lastIndex = end;
  }
}

function fill(parent: Element, items: readonly Ordered[], depth: number): void {
  if (depth > MAX_DEPTH) throw new UnreadableDocument('The file is nested too deeply to be a document.');
  const mixed = items.length > 1;
  for (const item of items) {
    const attributes = (item[':@'] ?? {}) as Record<string, string>;
    for (const [name, value] of Object.entries(item)) {
      if (name === ':@') continue;
      if (name === '#text') {
        parent.text += String(value);
        if (mixed) parent.children.push({ name, attributes: {}, children: [], text: String(value) });
      } else {
        const element: Element = { name: name.slice(name.indexOf(':') + 1), attributes, children: [], text: '' };
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

/** A direct child of a name. */
export function childOf(element: Element | undefined, name: string): Element | undefined {
  return element?.children.find((child) => child.name === name);
}

/** All text in an element, in document order. */
export function textIn(element: Element): string {
  if (element.children.length === 0) return element.text;
  return element.children.map(textIn).join('');
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
