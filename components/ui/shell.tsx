'use client';

import Link from 'next/link';
import { usePathname } from 'next/navigation';
import type { ReactNode } from 'react';

const PAGES = [
  { href: '/', name: 'Chat' },
  { href: '/admin', name: 'Admin' },
];

/** The frame of every page: name, navigation, and what the page puts beside them. */
export function Shell({ aside, children }: { aside?: ReactNode; children: ReactNode }) {
  const path = usePathname();
  return (
    <>
      <a href="#content" className="sr-only focus:not-sr-only focus:absolute focus:z-10 focus:bg-paper focus:p-2">
        Skip to content
      </a>
      <header className="sticky top-0 z-10 border-b border-rule bg-paper">
        <div className="mx-auto flex max-w-6xl flex-wrap items-center gap-x-6 gap-y-1 px-4 py-2">
          <Link href="/" className="flex items-center gap-2 font-semibold">
            <Leaf /> Ivy
          </Link>
          <nav aria-label="Main" className="flex gap-4 text-sm">
            {PAGES.map(({ href, name }) => (
              <Link
                key={href}
                href={href}
                aria-current={path === href ? 'page' : undefined}
                className="border-b-2 border-transparent py-1 text-muted hover:text-ink aria-[current=page]:border-ivy aria-[current=page]:text-ink"
              >
                {name}
              </Link>
            ))}
          </nav>
          <div className="ml-auto min-w-0 text-sm text-muted">{aside}</div>
        </div>
      </header>
      <main id="content" className="mx-auto flex w-full max-w-6xl flex-1 flex-col px-4">
        {children}
      </main>
    </>
  );
}

function Leaf() {
  return (
    <svg aria-hidden="true" width="18" height="18" viewBox="0 0 24 24" className="text-ivy">
      <path
        fill="currentColor"
        d="M12 2c1 3 3 4 6 4-1 2-1 4 2 6-3 1-4 3-4 5-2-1-3 0-3.5 2L13 22h-2l.5-3C11 17 10 16 8 17c0-2-1-4-4-5 3-2 3-4 2-6 3 0 5-1 6-4z"
      />
    </svg>
  );
}
