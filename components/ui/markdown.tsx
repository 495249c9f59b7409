'use client';

import { Component, memo, type ReactNode, useMemo } from 'react';
import ReactMarkdown, { type Components } from 'react-markdown';
import remarkGfm from 'remark-gfm';
import { toMarkdownBlocks } from './markdown-blocks';
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
 * Markdown from models and documents. Raw HTML stays text, only web and mail links are links, and nothing is ever
 * loaded from elsewhere: an image shows its description. What would keep the browser busy is shown as it is written.
 */
export const Markdown = memo(function Markdown({ text, citation, citations = NO_CITATIONS, marks = NO_MARKS }: Props) {
  const blocks = useMemo(() => toMarkdownBlocks(text), [text]);
  return (
    <div className="prose">
      {blocks.map(({ text: part, start, plain }) => {
        const end = start + part.length;
        if (plain) return <Plain key={start} text={part} />;
        return (
          <PlainOnError key={start} text={part}>
            <Block
              text={part}
              citation={citation}
              citations={citations
                .filter(({ at }) => at >= start && at < end)
                .map(({ n, at }) => ({ n, at: at - start }))}
              marks={marks
                .filter((mark) => mark.end > start && mark.start < end)
                .map((mark) => ({ ...mark, start: mark.start - start, end: mark.end - start }))}
            />
          </PlainOnError>
        );
      })}
    </div>
  );
});

const Plain = ({ text }: { text: string }) => <p className="whitespace-pre-wrap [overflow-wrap:anywhere]">{text}</p>;

/** A text that the parser cannot take must not take the page with it. */
class PlainOnError extends Component<{ text: string; children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    return this.state.failed ? <Plain text={this.props.text} /> : this.props.children;
  }
}

interface BlockProps {
  text: string;
  citation: Props['citation'];
  citations: readonly CitationAt[];
  marks: readonly Mark[];
}

/** Parsed again only when something of it changed: an answer grows by one word at a time, at its end. */
const Block = memo(
  function Block({ text, citation, citations, marks }: BlockProps) {
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
      <ReactMarkdown
        remarkPlugins={[remarkGfm, remarkCitations(citations), remarkMarks(marks)]}
        components={components}
      >
        {text}
      </ReactMarkdown>
    );
  },
  (before, after) =>
    before.text === after.text &&
    before.citation === after.citation &&
    JSON.stringify([before.citations, before.marks]) === JSON.stringify([after.citations, after.marks]),
);

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
