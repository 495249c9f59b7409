import type { ChatMessage } from '../core/chat';
import { textOf } from '../core/chat';

/** Sources that a client has put into the prompt by itself, as tags: `<source id="1"`, `<document index="2">`. */
const TAGS = /<(?:source|document|doc|passage|result|item)\s[^<>]{0,200}?(?:id|index|n)="(\d{1,3})"/g;
/** Or as numbered lines: `[1] Text`, `[Document 1 - …]`, `Source 1:`, `[doc2]`. */
const LINES =
  /^[ \t>*-]{0,8}(?:\[(?:(?:document|doc|source|passage|result|context)\s?#?)?(\d{1,3})[\]\s:,-]|(?:document|source|passage|result|context) #?(\d{1,3})\s?[:)\].-])/gim;
/** Longer messages are looked at in this much from their beginning. */
const MAX_CHARS = 2_000_000;

/**
 * How many numbered sources stand in the messages already: Ivy's own are numbered after them, so that a number is
 * never linked to the wrong text. Open WebUI's list shows them first. Numbers that do not run on from 1 are none.
 */
export function ownSources(messages: readonly ChatMessage[]): number {
  const numbers = new Set<number>();
  for (const message of messages) {
    // An assistant's markers are those of earlier answers.
    if (message.role === 'assistant') continue;
    const text = textOf(message).slice(0, MAX_CHARS);
    if (text.includes('<')) for (const match of text.matchAll(TAGS)) numbers.add(Number(match[1]));
    for (const match of text.matchAll(LINES)) numbers.add(Number(match[1] ?? match[2]));
  }
  let count = 0;
  while (numbers.has(count + 1)) count += 1;
  return count;
}
