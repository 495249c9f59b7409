import type { ReactNode } from 'react';

interface Props {
  label: string;
  /** Column heads; those of numbers stand right. */
  /** For a limit on its height. */
  className?: string;
  columns: readonly { name: string; right?: boolean }[];
  /** Rows as `<tr>`. */
  children: ReactNode;
}

/** A table that scrolls sideways where it is too wide. */
export function ScrollTable({ label, columns, className = '', children }: Props) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard
    <section aria-label={label} tabIndex={0} className={`overflow-auto text-sm ${className}`}>
      <table className="w-full border-y border-rule text-left">
        <thead className="text-muted">
          <tr>
            {columns.map(({ name, right }) => (
              <th
                key={name}
                className={`py-2 pr-4 font-normal whitespace-nowrap last:pr-0 ${right ? 'text-right' : ''}`}
              >
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-rule tabular-nums">{children}</tbody>
      </table>
    </section>
  );
}
