import type { ModelInfo } from '../core/chat';

/** Passages for a question about one thing. */
const USUAL = 5;
/** One search brings all parts of a question with several for 10 of 12 at ten passages, for 7 at five (measured). */
const SEVERAL_PARTS = 10;
/** Small models answer better from three passages than from five (measured). */
const SMALL_MODEL = 3;
const SMALL_MODEL_BILLIONS = 5;
/** A context with less room than this is filled by fewer passages. */
const SMALL_CONTEXT = 4_096;

/** Another question behind a conjunction or a comma, in the languages of Europe and in Chinese and Japanese. */
const SECOND_QUESTION =
  /[,;]?\s(?:and|or|und|oder|et|ou|y|o|e|en|of|och|eller|og|и|или)\s(?:\S{1,30}\s){0,2}?(?:what|which|who|when|where|how|why|was|welche[rsmn]?|wer|wann|wo|wie|warum|quel(?:le)?s?|qui|quand|où|comment|pourquoi|qué|cuál(?:es)?|cuándo|dónde|cómo|quale|quali|quando|dove|come|wat|welk[e]?|wanneer|waar|hoe|что|какой|какая|какие|когда|где|как)(?!\p{L})|[，、；](?:什么|哪|谁|何|怎|多少)/iu;
const COMPARES =
  /\b(?:difference|differences|differ|compare|compared|comparison|versus|vs|both|each|respectively|unterschied\w*|vergleich\w*|jeweils|beide[nrsm]?|différence\w*|compar\w+|chacun\w*|diferencia\w*|confront\w*|differenz\w*|verschil\w*)\b|区别|差别|比较|分别|違い|比較|それぞれ/iu;

/** True when a question asks for more than one thing: its answer stands in several places. */
export function hasSeveralParts(question: string): boolean {
  const marks = question.match(/[?？]/g)?.length ?? 0;
  return marks > 1 || SECOND_QUESTION.test(question) || COMPARES.test(question);
}

/** How many passages to look for, before it is known which model will read them. */
export function passagesFor(question: string): number {
  return hasSeveralParts(question) ? SEVERAL_PARTS : USUAL;
}

/** How many of them a model gets: small models, and those with a small context, are given fewer. */
export function passagesOf(found: number, question: string, model: ModelInfo): number {
  const billions = Number(/^(\d+(?:\.\d+)?)\s*B$/i.exec(model.parameterSize ?? '')?.[1] ?? Number.NaN);
  const small = billions < SMALL_MODEL_BILLIONS || (model.contextLength ?? Number.POSITIVE_INFINITY) <= SMALL_CONTEXT;
  if (!small) return found;
  return Math.min(found, hasSeveralParts(question) ? USUAL : SMALL_MODEL);
}
