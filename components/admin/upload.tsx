'use client';

import { useQuery } from '@tanstack/react-query';
import { Upload as UploadIcon } from 'lucide-react';
import { type DragEvent, useRef, useState } from 'react';
import { api } from '../trpc-client';
import { createKey } from '../ui/create-key';

interface Item {
  key: string;
  name: string;
  /** 0 to 1 while sending. */
  sent: number;
  outcome: 'sending' | 'stored' | 'known' | 'refused';
  message: string | null;
}

/** Drag and drop or a file dialog, many files, each with its own progress. */
export function Upload({ onStored }: { onStored(): void }) {
  const [items, setItems] = useState<readonly Item[]>([]);
  const [over, setOver] = useState(false);
  const [collection, setCollection] = useState('');
  const collections = useQuery({
    queryKey: ['documents.collections'],
    queryFn: () => api.documents.collections.query(),
  });
  const input = useRef<HTMLInputElement>(null);
  const change = (key: string, update: Partial<Item>) =>
    setItems((before) => before.map((item) => (item.key === key ? { ...item, ...update } : item)));
  const add = async (files: readonly File[]) => {
    const batch = files.map((file) => ({ file, key: createKey() }));
    setItems((before) => [
      ...before.filter((item) => item.outcome === 'sending'),
      ...batch.map(({ file, key }): Item => ({ key, name: file.name, sent: 0, outcome: 'sending', message: null })),
    ]);
    // One after the other: the server works off one document at a time anyway.
    for (const { file, key } of batch) {
      change(key, await send(file, collection, (sent) => change(key, { sent })));
      onStored();
    }
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void add([...event.dataTransfer.files]);
  };
  return (
    <div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping files is an extra; the button inside does the same */}
      <div
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={onDrop}
        className={`flex flex-wrap items-center gap-x-4 gap-y-2 border border-dashed px-4 py-4 ${over ? 'border-ivy bg-ivy-soft' : 'border-muted/60'}`}
      >
        <button type="button" className="button" onClick={() => input.current?.click()}>
          <UploadIcon aria-hidden="true" size={14} /> Add documents
        </button>
        <span className="text-muted">
          or drop them here: PDF, Word, PowerPoint, Excel, OpenDocument, RTF, mail, EPUB, HTML, Markdown, CSV, text
        </span>
        <label className="ml-auto flex items-center gap-2">
          Collection
          <input
            className="field w-36"
            list="collections"
            placeholder="default"
            maxLength={100}
            value={collection}
            onChange={(event) => setCollection(event.target.value)}
          />
        </label>
        <datalist id="collections">
          {collections.data?.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <input
          ref={input}
          type="file"
          multiple
          className="sr-only"
          aria-label="Files to add"
          tabIndex={-1}
          onChange={(event) => {
            void add([...(event.target.files ?? [])]);
            event.target.value = '';
          }}
        />
      </div>
      <ul aria-label="Uploads" className="mt-2 space-y-1">
        {items.map((item) => (
          <li key={item.key} className="flex flex-wrap items-center gap-3">
            <span className="min-w-0 flex-1 truncate">{item.name}</span>
            {item.outcome === 'sending' ? (
              <progress className="h-2 w-32" value={item.sent} max={1} aria-label={`Sending ${item.name}`} />
            ) : (
              <span className={item.outcome === 'refused' ? 'text-red' : 'text-muted'}>{item.message}</span>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** `fetch` tells no progress of what it sends. */
function send(file: File, collection: string, onProgress: (share: number) => void): Promise<Partial<Item>> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('POST', '/documents');
    request.upload.onprogress = (event) => onProgress(event.total > 0 ? event.loaded / event.total : 0);
    request.onerror = () => resolve({ outcome: 'refused', message: 'The connection broke off.' });
    request.onload = () => {
      if (request.status === 202) return resolve({ outcome: 'stored', message: 'Stored' });
      if (request.status === 200) return resolve({ outcome: 'known', message: 'Already there' });
      resolve({ outcome: 'refused', message: errorOf(request.responseText) });
    };
    const form = new FormData();
    // Fields come before the file, or the server sees them too late.
    if (collection.trim() !== '') form.append('collection', collection.trim());
    form.append('file', file);
    request.send(form);
  });
}

function errorOf(body: string): string {
  try {
    return (JSON.parse(body) as { error: { message: string } }).error.message;
  } catch {
    return 'The server refused the file.';
  }
}
