import type { Metadata } from 'next';
import { ViewerPage } from '@/components/viewer/viewer-page';

export const metadata: Metadata = { title: 'Source' };

interface Props {
  params: Promise<{ document: string }>;
  searchParams: Promise<{ page?: string | string[]; passage?: string | string[] }>;
}

export default async function Page({ params, searchParams }: Props) {
  const { document } = await params;
  const { page, passage } = await searchParams;
  return (
    <ViewerPage
      document={document}
      page={Math.max(1, Number.parseInt(String(page ?? '1'), 10) || 1)}
      passage={typeof passage === 'string' ? passage : undefined}
    />
  );
}
