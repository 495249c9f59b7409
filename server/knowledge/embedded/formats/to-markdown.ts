import TurndownService from 'turndown';

/** HTML to Markdown with readable tables; images and links keep only their words. */
export function htmlToMarkdown(html: string): string {
  const service = new TurndownService({ headingStyle: 'atx', bulletListMarker: '-', codeBlockStyle: 'fenced' });
  service.remove(['script', 'style']);
  service.addRule('image', { filter: 'img', replacement: (_content, node) => (node as HTMLImageElement).alt ?? '' });
  service.addRule('link', { filter: 'a', replacement: (content) => content });
  // A cell may hold several paragraphs, which a Markdown table cannot: they are joined on one line.
  service.addRule('cell', {
    filter: ['td', 'th'],
    replacement: (content) => `| ${content.replace(/\s+/g, ' ').replace(/\|/g, '\\|').trim()} `,
  });
  service.addRule('row', {
    filter: 'tr',
    replacement: (content, node) => {
      const cells = (node as HTMLTableRowElement).cells?.length ?? node.childNodes.length;
      const first = tableOf(node)?.querySelector('tr') === node;
      return `\n${content}|${first ? `\n${'| --- '.repeat(cells)}|` : ''}`;
    },
  });
  service.addRule('table', { filter: 'table', replacement: (content) => `\n\n${content.trim()}\n\n` });
  service.addRule('section', { filter: ['thead', 'tbody', 'tfoot'], replacement: (content) => content });
  return service.turndown(html);
}

function tableOf(node: Node): HTMLTableElement | undefined {
  for (let parent = node.parentNode; parent; parent = parent.parentNode) {
    if (parent.nodeName === 'TABLE') return parent as HTMLTableElement;
  }
  return undefined;
}
