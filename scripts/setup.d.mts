/** Bundles the parsing process into `dist/`. */
export function buildParser(): Promise<void>;
/** Path of a Chromium for the browser tests. */
export function ensureBrowser(): Promise<string>;
