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
  json = false,
): CitationStyle {
  const style = wantedStyle(requested, headers, keyStyle);
  // Text after a JSON answer would break it, and what looks like a marker in it is a list.
  return json && style !== 'openwebui' ? 'none' : style;
}

/** True when the wanted form of the answer is JSON of any kind. */
export function isJson(format: { type: string } | undefined): boolean {
  return format !== undefined && format.type !== 'text';
}

function wantedStyle(
  requested: CitationStyle | undefined,
  headers: Headers,
  keyStyle: CitationStyle | undefined,
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
