'use client';

import { type ReactNode, useEffect, useRef } from 'react';

interface Props {
  title: string;
  children: ReactNode;
  /** What the dangerous button says: "Remove llama3.1". */
  action: string;
  onConfirm(): void;
  onCancel(): void;
}

/** Asks before something is lost. Escape and Cancel change nothing. */
export function Confirm({ title, children, action, onConfirm, onCancel }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      onClose={onCancel}
      aria-labelledby="confirm-title"
      className="m-auto w-[min(28rem,calc(100vw-2rem))] border border-rule bg-paper p-5 text-ink"
    >
      <h2 id="confirm-title" className="font-semibold">
        {title}
      </h2>
      <div className="mt-2 text-sm text-muted">{children}</div>
      <div className="mt-5 flex justify-end gap-2">
        <button type="button" className="button" onClick={onCancel}>
          Cancel
        </button>
        <button type="button" className="button-danger" onClick={onConfirm}>
          {action}
        </button>
      </div>
    </dialog>
  );
}
