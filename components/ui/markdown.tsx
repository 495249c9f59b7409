'use client';

import { memo, type ReactNode } from 'react';
import ReactMarkdown, { type Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { CITATION_PREFIX, type CitationAt, remarkCitations } from './remark-citations';
import { type Mark, remarkMarks } from './remark-marks';

interface Props {
  text: string;
  /** Renders one of `citations`. */
  citation?: (n: number) => ReactNode;
  /** The markers of `text` that are citations, in order; all others stay text. */
  citations?: readonly CitationAt[];
  /** Ranges of `text` to be marked, in order. */
  marks?: readonly Mark[];
}

const NO_MARKS: readonly Mark[] = [];
const NO_CITATIONS: readonly CitationAt[] = [];

/**
 * Markdown from models and documents. Raw HTML stays text, only web and mail links are links, and
 * nothing is ever loaded from elsewhere: an image shows its description.
 */
export const Markdown = memo(function Markdown({ text, citation, citations = NO_CITATIONS, marks = NO_MARKS }: Props) {
  const components: Components = {
    a({ href, children }) {
      const n = href?.startsWith(CITATION_PREFIX) ? Number(href.slice(CITATION_PREFIX.length)) : undefined;
      if (n !== undefined && citation) return citation(n);
      return <SafeLink href={href}>{children}</SafeLink>;
    },
    // The page around it has the first two levels.
    h1: 'h3',
    h2: 'h4',
    h3: 'h5',
    h4: 'h6',
    h5: 'h6',
    img: ({ alt }) => <span className="text-muted">[image{alt ? `: ${alt}` : ''}]</span>,
    table: ({ children }) => (
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      <section className="table-scroll" aria-label="Table" tabIndex={0}>
        <table>{children}</table>
      </section>
    ),
  };
  return (
    <div className="prose">
      <ReactMarkdown
        remarkPlugins={[remarkGfm, remarkCitations(citations), remarkMarks(marks)]}
        components={components}
      >
        {text}
      </ReactMarkdown>
    </div>
  );
});

/** Shows where a link leads; the page behind it learns nothing about this one. */
function SafeLink({ href, children }: { href: string | undefined; children?: ReactNode }) {
  if (!href || !/^(https?:|mailto:)/i.test(href)) return <span>{children}</span>;
  const host = URL.canParse(href) ? new URL(href).host : '';
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow" className="text-ivy underline">
      {children}
      {host && <span className="text-muted"> ({host})</span>}
    </a>
  );
}
