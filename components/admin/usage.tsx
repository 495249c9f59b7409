'use client';

import { useQuery } from '@tanstack/react-query';
import { api, messageOf } from '../trpc-client';
import { Notice } from '../ui/notice';
import { ScrollTable } from '../ui/scroll-table';

const COLUMNS = ['Day', 'Caller', 'User', 'Model', 'Answers', 'Tokens read', 'Tokens written'].map((name, index) => ({
  name,
  right: index > 3,
}));

/** Answers and tokens by day, caller, end user and model. */
export function Usage() {
  const usage = useQuery({
    queryKey: ['admin.usage'],
    queryFn: () => api.admin.usage.query(),
    refetchInterval: 10_000,
  });
  if (usage.isError) return <Notice tone="failure">{messageOf(usage.error)}</Notice>;
  if (!usage.data) return null;
  if (usage.data.length === 0) return <p className="text-sm text-muted">No answer was written yet.</p>;
  const number = (value: number) => value.toLocaleString('en');
  return (
    <ScrollTable label="Answers and tokens" columns={COLUMNS}>
      {usage.data.map((row) => (
        <tr key={`${row.day} ${row.caller} ${row.user} ${row.model}`}>
          <td className="py-2 pr-4 whitespace-nowrap">{row.day}</td>
          <td className="py-2 pr-4">{row.caller}</td>
          <td className="py-2 pr-4 [overflow-wrap:anywhere]">{row.user || '–'}</td>
          <td className="min-w-36 py-2 pr-4 [overflow-wrap:anywhere]">{row.model}</td>
          <td className="py-2 pr-4 text-right">{number(row.answers)}</td>
          <td className="py-2 pr-4 text-right">{number(row.promptTokens)}</td>
          <td className="py-2 text-right">{number(row.completionTokens)}</td>
        </tr>
      ))}
    </ScrollTable>
  );
}
