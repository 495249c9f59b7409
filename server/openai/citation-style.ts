import { AppError } from '../core/errors';
import { CITATION_STYLES, type CitationStyle } from '../core/run';
import { detectOpenWebUi } from './open-webui';

/**
 * The one place that decides it: the body's `rag.citations`, else the header `x-ivy-citations`, else what
 * the caller's key is set to; else Open WebUI is known by any of its headers (even an empty one) or by its HTTP library, and all others
 * get standard annotations.
 */
export function decideCitationStyle(
  requested: CitationStyle | undefined,
  headers: Headers,
  keyStyle?: CitationStyle,
): CitationStyle {
  if (requested) return requested;
  const header = headers.get('x-ivy-citations')?.trim().toLowerCase();
  const named = CITATION_STYLES.find((style) => style === header);
  if (named) return named;
  if (header !== undefined) {
    throw new AppError('invalid_request', `x-ivy-citations: must be one of ${CITATION_STYLES.join(', ')}`, {
      param: 'x-ivy-citations',
    });
  }
  if (keyStyle) return keyStyle;
  return detectOpenWebUi(headers) ? 'openwebui' : 'annotations';
}
