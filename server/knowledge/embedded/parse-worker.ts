/**
 * Entry of the parsing process: reads one document at a time and answers its passages. It runs
 * apart from the server, so that a hostile or huge file costs this process and nothing else.
 */
import type { MediaType } from './media-type';
import { parseDocument } from './parse';
import { type ParsedDocument, UnreadableDocument } from './parsed';
import { languageOfDocument, type PassageDraft, toPassages } from './split';

export interface ParseJob {
  path: string;
  mediaType: MediaType;
  /** The name of the document, as shown: identifiers in it take part in search. */
  source: string;
  /** Pages `from` to `to` alone, counted from 1: for a PDF that cannot be read as a whole. */
  part?: { from: number; to: number };
}

export type ParseReply =
  | { ok: true; document: ParsedDocument; passages: PassageDraft[]; language: string | null }
  /** `reason` is for the person who added the file; undefined means an error of the parser itself. */
  | { ok: false; reason: string | undefined; error: string };

process.on('message', async (job: ParseJob) => {
  let reply: ParseReply;
  try {
    const document = await parseDocument(job);
    const passages = toPassages(document, job.source);
    const language = languageOfDocument(document)?.code ?? null;
    // Only the boxes of passages are needed from now on.
    for (const page of document.pages) delete page.runs;
    reply = { ok: true, document, passages, language };
  } catch (error) {
    reply = {
      ok: false,
      reason: error instanceof UnreadableDocument ? error.message : undefined,
      error: String(error),
    };
  }
  process.send?.(reply);
});

// Ctrl-C goes to the whole group of processes; the server decides when this one ends.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

// The server is gone: so is the work.
process.on('disconnect', () => process.exit(0));
