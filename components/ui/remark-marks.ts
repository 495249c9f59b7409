/** A range of the Markdown source to be marked, in UTF-16 units, the end exclusive. */
export interface Mark {
  start: number;
  end: number;
  className: string;
  title?: string;
}

interface Node {
  type: string;
  value?: string;
  children?: Node[];
  position?: { start: { offset?: number }; end: { offset?: number } };
  data?: object;
}

/** Wraps the given ranges of running text in elements. Text that has lost its place stays unmarked. */
export function remarkMarks(marks: readonly Mark[]) {
  return () => (tree: Node) => {
    if (marks.length > 0) visit(tree, marks);
  };
}

function visit(node: Node, marks: readonly Mark[]): void {
  node.children = node.children?.flatMap((child) => {
    if (child.type === 'text' && child.value) return split(child, child.value, marks);
    visit(child, marks);
    return [child];
  });
}

function split(node: Node, text: string, marks: readonly Mark[]): Node[] {
  const from = node.position?.start.offset;
  const to = node.position?.end.offset;
  // Where the source has escapes, its offsets are not those of the text.
  if (from === undefined || to === undefined || to - from !== text.length) return [node];
  const pieces: Node[] = [];
  let at = 0;
  const plain = (end: number) => {
    if (end > at) pieces.push({ type: 'text', value: text.slice(at, end) });
    at = Math.max(at, end);
  };
  for (const mark of marks) {
    const start = Math.max(at, mark.start - from);
    const end = Math.min(text.length, mark.end - from);
    if (start >= end) continue;
    plain(start);
    pieces.push({
      type: 'emphasis',
      data: { hName: 'mark', hProperties: { className: mark.className, title: mark.title } },
      children: [{ type: 'text', value: text.slice(start, end) }],
    });
    at = end;
  }
  plain(text.length);
  return pieces;
}
