/** Bundles the parsing process into `dist/`. */
export function buildWorkers(): Promise<void>;
/** Path of a Chromium for the browser tests. */
export function ensureBrowser(): Promise<string>;
