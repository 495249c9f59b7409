/** Bundles the parsing process into `dist/`. */
export function buildWorkers(): Promise<void>;
/** Path of a Chromium for the browser tests. */
export function ensureBrowser(): Promise<string>;
/** The environment that every server is started with. */
export const SERVER_CONSTANTS: Readonly<Record<string, string>>;
