/** A link target that only this plugin makes; `Markdown` turns it into a citation button. */
export const CITATION_PREFIX = '#source-';

interface Node {
  type: string;
  value?: string;
  url?: string;
  children?: Node[];
}

/** Turns `[3]` in running text into citation nodes; code and links are left alone. */
export function remarkCitations() {
  return (tree: Node) => visit(tree);
}

function visit(node: Node): void {
  if (!node.children || node.type === 'link' || node.type === 'linkReference') return;
  node.children = node.children.flatMap((child) => {
    if (child.type === 'text' && child.value) return split(child.value);
    visit(child);
    return [child];
  });
}

function split(text: string): Node[] {
  return text
    .split(/(\[\d{1,3}\])/)
    .filter((piece) => piece !== '')
    .map((piece) => {
      const n = /^\[(\d{1,3})\]$/.exec(piece)?.[1];
      return n
        ? { type: 'link', url: CITATION_PREFIX + n, children: [{ type: 'text', value: piece }] }
        : { type: 'text', value: piece };
    });
}
