import type { EvidenceIssue } from '../../core/run';
import type { Checked, Scored } from './claim';
import type { Source } from './statements';

/** Names of standards and of parts of documents, with their numbers: `RFC 9000`, `Table 4-1`, `section 4.2`, `version 3`. */
const REFERENCE =
  /(?<![\p{L}\p{N}])(rfc|iso|iec|en|din|astm|ansi|mil-std|table|figure|fig|section|clause|chapter|step|annex|appendix|version|revision|rev|release|phase|stage|class|type|tabelle|bild|abbildung|abschnitt|kapitel|schritt|anhang|ausgabe|klasse|typ|tableau|étape|annexe|classe|tabla|figura|sección|tabella|sezione|раздел|таблица)\.?\s?(?:\/\s?iec\s)?(\p{N}[\p{N}.-]{0,12}\p{N}|\p{N})(?![\p{N}])/giu;
/** Of these another number is another thing for certain. */
const STANDARDS = new Set(['rfc', 'iso', 'iec', 'en', 'din', 'astm', 'ansi', 'mil-std']);

/** The references of a text, as `word number`. */
function referencesOf(text: string): string[] {
  return [...text.matchAll(REFERENCE)].map(([, word = '', number = '']) => `${word.toLowerCase()} ${number}`);
}

/** Compares the references of a claim with those of its sources; `text` is the claim. */
export function checkReferences(text: string, sources: readonly Source[], scored: readonly Scored[]): Checked {
  const checked: Checked = { issues: [], doubt: false };
  const claimed = referencesOf(text);
  if (claimed.length === 0) return checked;
  const known = new Set(sources.flatMap((source) => [...referencesOf(source.names), ...referencesOf(source.text)]));
  const near = scored.slice(0, 3).flatMap(({ statement }) => referencesOf(statement.text));
  for (const reference of claimed) {
    if (known.has(reference)) continue;
    const [word = ''] = reference.split(' ');
    const instead = near.find((other) => other.startsWith(`${word} `));
    const issue: EvidenceIssue = { kind: 'identifier', detail: reference, ...(instead && { source: instead }) };
    if (instead && STANDARDS.has(word)) checked.issues.push(issue);
    else checked.doubt = true;
  }
  return checked;
}
