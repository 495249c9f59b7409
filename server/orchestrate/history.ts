import { hash } from 'node:crypto';
import type { ChatMessage } from '../core/chat';
import type { Citation } from '../core/run';

/** Remembers the markers that answers were given out with. */
export interface IssuedMarkers {
  /** Those of the given fingerprints that are known. */
  known(fingerprints: readonly string[]): Promise<ReadonlySet<string>>;
  add(fingerprints: readonly string[]): void;
}

/** Letters before a marker that it is recognised by; blanks do not count, since clients change them. */
const CONTEXT = 40;
const MIN_CONTEXT = 3;
/** A conversation with more markers keeps the older ones. */
const MAX_MARKERS = 2_000;
const MARKER = /\[(\d{1,3})\]/g;

/** What markers of an answer are recognised by when a client sends it back: their number and the text before them. */
export function fingerprintsOf(text: string, citations: readonly Citation[]): string[] {
  return citations.flatMap(({ n, at }) => fingerprint(text, at, n) ?? []);
}

/**
 * The conversation without the markers that Ivy gave out in earlier answers: they point to passages that are not there
 * any more. Whatever else looks like a marker stays as it is.
 */
export async function withoutIssuedMarkers(
  messages: readonly ChatMessage[],
  issued: IssuedMarkers,
): Promise<readonly ChatMessage[]> {
  const recent = recentMarkers(messages);
  if (recent.length === 0) return messages;
  const known = await issued.known(recent.map(({ print }) => print));
  if (known.size === 0) return messages;
  const byMessage = new Map<number, Marker[]>();
  for (const marker of recent) {
    if (known.has(marker.print)) byMessage.set(marker.message, [...(byMessage.get(marker.message) ?? []), marker]);
  }
  return messages.map((message, index) => {
    const markers = byMessage.get(index);
    return markers && message.role === 'assistant' ? { ...message, text: without(message.text, markers) } : message;
  });
}

/** The last markers of the conversation, oldest first. */
function recentMarkers(messages: readonly ChatMessage[]): Marker[] {
  const lists: Marker[][] = [];
  let count = 0;
  for (const [index, message] of [...messages.entries()].reverse()) {
    if (count >= MAX_MARKERS) break;
    if (message.role !== 'assistant') continue;
    const found = markersOf(message.text, index, MAX_MARKERS - count);
    lists.unshift(found);
    count += found.length;
  }
  return lists.flat();
}

interface Marker {
  message: number;
  start: number;
  end: number;
  print: string;
}

function markersOf(text: string, message: number, most: number): Marker[] {
  return [...text.matchAll(MARKER)].slice(-most).flatMap(({ index, 0: marker, 1: n }) => {
    const print = fingerprint(text, index, Number(n));
    return print === undefined ? [] : { message, start: index, end: index + marker.length, print };
  });
}

function fingerprint(text: string, at: number, n: number): string | undefined {
  const before = text
    .slice(Math.max(0, at - 2 * CONTEXT), at)
    .replace(/\s+/g, '')
    .slice(-CONTEXT);
  return before.length < MIN_CONTEXT ? undefined : hash('sha256', `${n} ${before}`, 'base64').slice(0, 16);
}

/** The blanks before a marker go with it. */
function without(text: string, markers: readonly Marker[]): string {
  let out = '';
  let from = 0;
  for (const { start, end } of markers) {
    let until = start;
    while (until > from && (text[until - 1] === ' ' || text[until - 1] === '\t')) until -= 1;
    out += text.slice(from, until);
    from = end;
  }
  return out + text.slice(from);
}
