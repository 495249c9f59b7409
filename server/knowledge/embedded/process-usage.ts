import { readFileSync } from 'node:fs';

/** Ticks of processor time in a second: 100 on every Linux that Node runs on (`getconf CLK_TCK`). */
const TICKS = 100;

/** Processor time that a process has used, in seconds. Where the system does not tell it, the time since the start of this one. */
export function processorSeconds(pid: number | undefined): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold blanks; utime and stime are fields 14 and 15 (proc_pid_stat(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return performance.now() / 1000;
  }
}

/** Memory a process holds; 0 where the system does not tell. */
export function residentBytes(pid: number | undefined): number {
  try {
    return Number(/^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
