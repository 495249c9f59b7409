import type { Metadata, Viewport } from 'next';
import { headers } from 'next/headers';
import type { ReactNode } from 'react';
import { Providers } from '@/components/providers';
import './globals.css';

export const metadata: Metadata = {
  title: { default: 'Ivy', template: '%s · Ivy' },
  description: 'Answers from your own documents, every one of which can be checked.',
  robots: { index: false, follow: false },
};

export const viewport: Viewport = {
  width: 'device-width',
  initialScale: 1,
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#fcfbf8' },
    { media: '(prefers-color-scheme: dark)', color: '#131715' },
  ],
};

export default async function Layout({ children }: { children: ReactNode }) {
  // Reading the request makes pages render per request, which is how Next gets the nonce onto its scripts.
  await headers();
  return (
    <html lang="en">
      <body className="flex min-h-dvh flex-col">
        <Providers>{children}</Providers>
      </body>
    </html>
  );
}
