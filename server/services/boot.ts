/** Starts the process; when even loading it fails, ends with that error instead of answering every request with it. */
export async function boot(): Promise<void> {
  try {
    const { startProcess } = await import('./runtime');
    await startProcess();
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}
