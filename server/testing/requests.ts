import type { ChatMessage, ChatRequest, GenerationOptions } from '../core/chat';
import type { CitedPassage, Passage } from '../core/knowledge';
import type { RunEvent, RunRequest } from '../core/run';

export function userMessage(text: string): ChatMessage {
  return { role: 'user', content: [{ type: 'text', text }] };
}

export function assistantMessage(text: string): ChatMessage {
  return { role: 'assistant', text, toolCalls: [] };
}

export function runRequest(text: string, change: Partial<RunRequest> = {}): RunRequest {
  return { model: 'ivy-orchestrator', messages: [userMessage(text)], options: {}, rag: {}, ...change };
}

export function chatRequest(messages: readonly ChatMessage[], change: Partial<ChatRequest> = {}): ChatRequest {
  const options: GenerationOptions = {};
  return { model: 'llama3.1:latest', messages, passages: [], retrieval: 'off', options, ...change };
}

export function passage(change: Partial<Passage> = {}): Passage {
  return {
    id: 'doc_1-1',
    documentId: 'doc_1',
    source: 'ECSS-E-ST-32-08C.pdf',
    page: 45,
    pageKind: 'page',
    heading: '4.3 Fairing',
    text: 'The fairing has an external diameter of 4.0 m.',
    score: 0.8542,
    scores: { keyword: 7.1 },
    ...change,
  };
}

export function cited(n: number, change: Partial<Passage> = {}): CitedPassage {
  return { ...passage({ id: `doc_1-${n}`, ...change }), n };
}

/** What a search is reported as; without timings and candidates. */
export function retrieved(change: Partial<Extract<RunEvent, { type: 'retrieval' }>> = {}): RunEvent {
  return {
    type: 'retrieval',
    state: 'ok',
    query: 'question',
    passages: [],
    candidates: [],
    timings: {},
    durationMs: 1,
    ...change,
  };
}
