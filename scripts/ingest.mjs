// `npm run ingest -- PATH…`: sends files and folders to the running server, which alone writes the index.
import { openAsBlob, readdirSync, statSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { giveUp, readEnvFile, say, serverUrl } from './setup.mjs';

const POLL_MS = 300;
const paths = process.argv.slice(2);
if (paths.length === 0) giveUp('Name the files or folders to add: npm run ingest -- manuals/ standard.pdf');

const file = await readEnvFile();
const setting = (name) => process.env[name] || file[name];
const url = serverUrl(setting('HOST'), setting('PORT'));
const key = setting('IVY_API_KEYS')?.split(',')[0]?.trim();
const headers = key ? { authorization: `Bearer ${key}` } : {};

let failed = 0;
const files = paths.flatMap(list);
const total = files.length + failed;
if (files.length === 0) giveUp('There are no files in what you named.');
await fetch(`${url}/ready`).catch(() => giveUp(`Ivy is not running at ${url}. Start it with: npm start`));

const waiting = new Map();
for (const [index, { path, name }] of files.entries()) {
  const form = new FormData();
  try {
    form.append('file', await openAsBlob(path), name);
  } catch {
    refuse(path, 'It cannot be read.');
    continue;
  }
  const response = await fetch(`${url}/documents`, { method: 'POST', body: form, headers }).catch(gone);
  const body = await response.json();
  const place = `${index + 1}/${files.length}`;
  if (!response.ok) refuse(path, body.error.message);
  else if (body.status === 'ready') say(`${place}  ${path}: already there`);
  else {
    say(`${place}  ${path}: stored`);
    waiting.set(body.id, path);
  }
}

while (waiting.size > 0) {
  for (const [id, path] of waiting) {
    const response = await fetch(`${url}/documents/${id}`, { headers }).catch(gone);
    const { status, error, pages, passages, notice } = await response.json();
    if (response.status === 404) refuse(path, 'It was removed, or replaced by another file of the same name.');
    else if (status === 'ready')
      say(`ready  ${path}: ${count(pages, 'page')}, ${count(passages, 'passage')}${notice ? ` (${notice})` : ''}`);
    else if (status === 'failed') refuse(path, error);
    else if (response.ok) continue;
    waiting.delete(id);
  }
  await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
say(`${total - failed} of ${count(total, 'file')} ${total === 1 ? 'is' : 'are'} in the knowledge base.`);
process.exit(failed > 0 ? 1 : 0);

function refuse(path, reason) {
  failed += 1;
  say(`failed ${path}: ${reason}`);
}

function gone() {
  giveUp('Ivy stopped answering. Files that are stored are added when it runs again; send the others once more.');
}

function count(number, noun) {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** Files with the names they get: paths below the folder that was named. Hidden files and folders are left out. */
function list(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) {
    refuse(path, 'There is no such file or folder.');
    return [];
  }
  if (!stats.isDirectory()) return [{ path, name: basename(path) }];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)))
    .filter((name) => !name.split(sep).some((segment) => segment.startsWith('.')))
    .map((name) => ({ path: join(path, name), name: name.split(sep).join('/') }));
}
