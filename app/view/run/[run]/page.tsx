import type { Metadata } from 'next';
import { EvidencePage } from '@/components/viewer/evidence-page';

export const metadata: Metadata = { title: 'Source' };

interface Props {
  params: Promise<{ run: string }>;
  searchParams: Promise<{ n?: string | string[] }>;
}

export default async function Page({ params, searchParams }: Props) {
  const { run } = await params;
  const { n } = await searchParams;
  return <EvidencePage run={run} n={Math.max(1, Number.parseInt(String(n ?? '1'), 10) || 1)} />;
}
