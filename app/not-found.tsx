import Link from 'next/link';

export default function NotFound() {
  return (
    <main className="mx-auto max-w-prose px-4 py-24">
      <h1 className="text-xl font-semibold">There is no such page</h1>
      <p className="mt-2 text-muted">The address may be mistyped, or the document was removed.</p>
      <p className="mt-6">
        <Link className="text-ivy underline" href="/">
          Back to the chat
        </Link>
      </p>
    </main>
  );
}
