/**
 * Whether Open WebUI asks: by its headers, which only an admin's settings or its own add, or by its HTTP library.
 * `named` is true when the header is there that tells its chores apart.
 */
export function detectOpenWebUi(headers: Headers): { named: boolean } | undefined {
  for (const name of headers.keys()) {
    if (name.startsWith('x-openwebui-')) return { named: headers.has('x-openwebui-task') };
  }
  return headers.get('user-agent')?.includes('aiohttp') ? { named: false } : undefined;
}
