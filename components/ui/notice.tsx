import type { ReactNode } from 'react';

const TONES = {
  info: 'border-rule bg-raised text-ink',
  doubt: 'border-amber bg-amber-soft text-ink',
  failure: 'border-red bg-red-soft text-ink',
};

/** A sentence that matters, with what to do about it. */
export function Notice({
  tone,
  children,
  action,
}: {
  tone: keyof typeof TONES;
  children: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div
      role={tone === 'failure' ? 'alert' : 'status'}
      className={`flex flex-wrap items-center gap-3 border-l-4 px-3 py-2 text-sm ${TONES[tone]}`}
    >
      <div className="min-w-0 flex-1 basis-60">{children}</div>
      {action}
    </div>
  );
}
