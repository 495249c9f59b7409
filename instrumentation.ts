/** Runs once when the server process starts, before it takes requests. */
export async function register(): Promise<void> {
  if (process.env['NEXT_RUNTIME'] !== 'nodejs') return;
  try {
    const { startProcess } = await import('./server/services/runtime');
    await startProcess();
  } catch (error) {
    // Next would go on and answer every request with this error.
    console.error(error);
    process.exit(1);
  }
}
