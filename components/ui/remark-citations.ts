/** A link target that only this plugin makes; `Markdown` turns it into a citation button. */
export const CITATION_PREFIX = '#source-';

/** A checked citation of the Markdown source: `[n]` stands at this offset, in UTF-16 units. */
export interface CitationAt {
  n: number;
  at: number;
}

interface Node {
  type: string;
  value?: string;
  url?: string;
  children?: Node[];
  position?: { start: { offset?: number }; end: { offset?: number } };
}

/**
 * Turns the given markers in running text into citation nodes; every other `[3]` stays text. To be used before
 * `remarkMarks`, which goes by the places of the text that is left.
 */
export function remarkCitations(citations: readonly CitationAt[]) {
  return () => (tree: Node) => {
    if (citations.length > 0) visit(tree, citations);
  };
}

function visit(node: Node, citations: readonly CitationAt[]): void {
  if (!node.children || node.type === 'link' || node.type === 'linkReference') return;
  node.children = node.children.flatMap((child) => {
    if (child.type === 'text' && child.value) return split(child, child.value, citations);
    visit(child, citations);
    return [child];
  });
}

function split(node: Node, text: string, citations: readonly CitationAt[]): Node[] {
  const from = node.position?.start.offset;
  const to = node.position?.end.offset;
  if (from === undefined || to === undefined) return [node];
  const within = citations.slice(firstFrom(citations, from), firstFrom(citations, to));
  if (within.length === 0) return [node];
  const pieces: Node[] = [];
  let at = 0;
  const plain = (end: number) => {
    if (end > at) pieces.push(textNode(text.slice(at, end), from + at));
  };
  for (const { n, at: place } of within) {
    const marker = `[${n}]`;
    // Where the source has escapes its offsets run ahead of the text: the next such marker is the one.
    const start = to - from === text.length ? place - from : text.indexOf(marker, at);
    if (start < at || !text.startsWith(marker, start)) continue;
    plain(start);
    const children = [{ type: 'text', value: marker }];
    pieces.push({ type: 'link', url: CITATION_PREFIX + n, children });
    at = start + marker.length;
  }
  plain(text.length);
  if (to - from !== text.length) for (const piece of pieces) delete piece.position;
  return pieces;
}

const textNode = (value: string, offset: number): Node => ({
  type: 'text',
  value,
  position: { start: { offset }, end: { offset: offset + value.length } },
});

/** Index of the first citation at or behind an offset; they are in order. */
function firstFrom(citations: readonly CitationAt[], offset: number): number {
  let low = 0;
  let high = citations.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((citations[middle]?.at ?? 0) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
