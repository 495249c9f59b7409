import { log } from '../lib/log';
import { guardServer } from '../net/server-guard';
import { Services } from './services';

/**
 * Next gives route handlers, server components and `instrumentation.ts` separate module instances;
 * what must exist once per process hangs on `globalThis`.
 */
const SLOT = Symbol.for('ivy.services');
/** A signal this long after the first one is a person who does not want to wait. */
const SECOND_SIGNAL_MS = 700;
type Slot = { [SLOT]?: Promise<Services> };

/** The services of this process, opened on first use. */
export function getServices(): Promise<Services> {
  const slot = globalThis as Slot;
  slot[SLOT] ??= Services.open({
    root: process.env['IVY_ROOT'] ?? process.cwd(),
    environment: launcherEnvironment(),
    packaged: JSON.parse(process.env['IVY_DEFAULTS'] ?? '{}'),
  });
  return slot[SLOT];
}

/** Opens the services and ends them properly on SIGTERM and SIGINT; a second signal ends at once. */
export async function startProcess(): Promise<void> {
  guardServer();
  const opening = getServices();
  let stoppingSince: number | undefined;
  const stop = async () => {
    if (stoppingSince !== undefined) {
      // One Ctrl-C may arrive twice: from the terminal and from the launcher.
      if (performance.now() - stoppingSince > SECOND_SIGNAL_MS) process.exit(130);
      return;
    }
    stoppingSince = performance.now();
    await (await opening).close();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());
  try {
    await opening;
  } catch (error) {
    log.fatal(error instanceof Error ? error.message : String(error));
    process.exit(78);
  }
  // The launcher waits for this to print what it found.
  process.send?.({ type: 'ready' });
}

/** The environment as it was before Next loaded `.env` into it; the launcher hands it over. */
function launcherEnvironment(): Partial<Record<string, string>> {
  const handed = process.env['IVY_LAUNCH_ENV'];
  return handed ? JSON.parse(handed) : process.env;
}
