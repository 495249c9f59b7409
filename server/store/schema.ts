import type { DocumentStatus } from '../core/knowledge';

/** Tables of the state database. Ids are text, times milliseconds since 1970, booleans 0 or 1, so that PostgreSQL can hold the same. */
export interface Schema {
  settings: { name: string; value: string; updated_at: number };
  documents: {
    id: string;
    source: string;
    title: string | null;
    collection: string;
    /** `deleting` marks a row whose passages and file are being removed; it is shown to nobody. */
    status: DocumentStatus | 'deleting';
    error: string | null;
    notice: string | null;
    pages: number | null;
    page_kind: 'page' | 'section';
    passages: number | null;
    bytes: number;
    media_type: string;
    sha256: string;
    revision: number;
    sample: number;
    /** ISO 639-1; null when it does not show itself. */
    language: string | null;
    /** The version of reading and cutting that its passages were made by; 0 for those of before there were versions. */
    reading: number;
    /** How often it was put back because it takes long. */
    effort: number;
    created_at: number;
    updated_at: number;
  };
  document_pages: { document_id: string; page: number; heading: string | null; text: string };
  api_keys: {
    id: string;
    name: string;
    digest: string;
    /** The key's last characters, to tell keys apart on the admin page. */
    hint: string;
    citations: string | null;
    /** 1 when the user that a client of this key names in a plain header is believed. */
    trusts_users: number;
    /** JSON list of collections that it may see; null for all. */
    collections: string | null;
    created_at: number;
    last_used_at: number | null;
  };
  sessions: { digest: string; created_at: number; expires_at: number };
  evidence: { run_id: string; n: number; passage: string; created_at: number };
  /** What markers in answers are recognised by, and when they were given out. */
  markers: { fingerprint: string; issued_at: number };
  usage: {
    day: string;
    caller: string;
    user: string;
    model: string;
    answers: number;
    prompt_tokens: number;
    completion_tokens: number;
  };
  /** What was asked and answered; `summary` and `record` are JSON. */
  runs: { id: string; at: number; summary: string; record: string };
  audit: { id: string; at: number; actor: string; action: string; detail: string };
}
