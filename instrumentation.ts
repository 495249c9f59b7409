/** Runs once when the server process starts, before it takes requests. */
export async function register(): Promise<void> {
  if (process.env['NEXT_RUNTIME'] === 'nodejs') {
    const { boot } = await import('./server/services/boot');
    await boot();
  }
}
