import { type ChildProcess, fork } from 'node:child_process';

/** Starts a process beside the server with a limit on its heap; it talks by messages alone. */
export function forkWorker(path: string, heapMb: number): ChildProcess {
  return fork(path, {
    execArgv: [`--max-old-space-size=${heapMb}`],
    // Nothing of the server's configuration or keys is handed to a reader of foreign text.
    env: { PATH: process.env['PATH'], NODE_ENV: 'production' },
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}
