'use client';

import { ArrowUp, Square } from 'lucide-react';
import { type KeyboardEvent, useRef, useState } from 'react';

interface Props {
  busy: boolean;
  models: readonly string[];
  model: string;
  retrieval: boolean;
  onModel(model: string): void;
  onRetrieval(on: boolean): void;
  onAsk(question: string): void;
  onStop(): void;
}

export function Composer(props: Props) {
  const [text, setText] = useState('');
  const area = useRef<HTMLTextAreaElement>(null);
  const send = () => {
    const question = text.trim();
    if (question === '' || props.busy) return;
    props.onAsk(question);
    setText('');
    area.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // Enter that ends the composition of a character is not meant to send.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form
      className="sticky bottom-0 border-t border-rule bg-paper pt-3 pb-[max(0.75rem,env(safe-area-inset-bottom))]"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <div className="flex max-w-2xl items-end gap-2">
        <textarea
          ref={area}
          aria-label="Your question"
          placeholder="Ask a question"
          rows={1}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
          className="field field-sizing-content max-h-60 min-h-11 flex-1 resize-none px-3 py-2.5 text-base"
        />
        {props.busy ? (
          <button type="button" className="button min-h-11" onClick={props.onStop}>
            <Square aria-hidden="true" size={14} fill="currentColor" /> Stop
          </button>
        ) : (
          <button type="submit" className="button-primary min-h-11" disabled={text.trim() === ''}>
            <ArrowUp aria-hidden="true" size={16} /> Ask
          </button>
        )}
      </div>
      <div className="mt-2 flex flex-wrap items-center gap-x-4 gap-y-1 text-sm text-muted">
        <label className="flex min-w-0 items-center gap-2">
          <span className="sr-only">Model</span>
          <select
            className="field max-w-56 py-0.5"
            value={props.model}
            onChange={(event) => props.onModel(event.target.value)}
          >
            {props.models.map((model) => (
              <option key={model}>{model}</option>
            ))}
          </select>
        </label>
        <label className="flex items-center gap-2">
          <input
            type="checkbox"
            className="accent-ivy"
            checked={props.retrieval}
            onChange={(event) => props.onRetrieval(event.target.checked)}
          />
          Search documents
        </label>
      </div>
    </form>
  );
}
