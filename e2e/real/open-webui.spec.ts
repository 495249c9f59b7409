import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Page, test } from 'playwright/test';
import { freePort, Ivy, until } from '../ivy';
import { FakeOllama } from '../upstreams/fake-ollama';

// A real Open WebUI against a real Ivy, driven in a browser: `npm run e2e:open-webui`. Not part of
// `npm test`: the Python package is some gigabytes large.

const QUESTION = 'What is the payload fairing design?';
/** Its first start compiles its Python and sets up its database: half a minute when nothing else runs. */
const FIRST_START_MS = 240_000;
const program = process.env['OPEN_WEBUI'] ?? '';
const ollama = new FakeOllama();
const data = mkdtempSync(join(tmpdir(), 'ivy-open-webui-'));
let ivy: Ivy;
let openWebUi: ChildProcess | undefined;
let url = '';

test.describe.configure({ mode: 'serial', timeout: 180_000 });
test.beforeAll(async () => {
  test.setTimeout(FIRST_START_MS + 60_000);
  await ollama.start();
  ivy = await Ivy.start({ env: { OLLAMA_BASE_URL: ollama.url } });
  await ivy.settled();
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  openWebUi = spawn(program, ['serve', '--host', '127.0.0.1', '--port', String(port)], {
    cwd: data,
    stdio: 'ignore',
    env: {
      NODE_ENV: 'production',
      PATH: process.env['PATH'],
      HOME: data,
      DATA_DIR: join(data, 'data'),
      OPENAI_API_BASE_URLS: `${ivy.url}/v1`,
      OPENAI_API_KEYS: 'sk-not-needed',
      OPENAI_API_CONFIGS: JSON.stringify({
        0: { headers: { 'X-OpenWebUI-Task': '{{TASK}}', 'X-OpenWebUI-Chat-Id': '{{CHAT_ID}}' } },
      }),
      ENABLE_OLLAMA_API: 'False',
      WEBUI_AUTH: 'False',
      WEBUI_SECRET_KEY: 'only-for-this-test',
      ENABLE_PERSISTENT_CONFIG: 'False',
      OFFLINE_MODE: 'True',
      HF_HUB_OFFLINE: '1',
      RAG_EMBEDDING_ENGINE: 'openai',
      RAG_OPENAI_API_BASE_URL: `${ivy.url}/v1`,
      RAG_OPENAI_API_KEY: 'sk-not-needed',
      ENABLE_EVALUATION_ARENA_MODELS: 'False',
    },
  });
  await expect
    .poll(
      () =>
        fetch(`${url}/health`).then(
          ({ ok }) => ok,
          () => false,
        ),
      { timeout: FIRST_START_MS },
    )
    .toBe(true);
});
test.afterAll(async () => {
  openWebUi?.kill('SIGKILL');
  await ivy.stop();
  await ollama.stop();
  rmSync(data, { recursive: true, force: true });
});

async function open(page: Page): Promise<void> {
  await page.goto(`${url}/?models=ivy-orchestrator`);
  await page.locator('#chat-input').waitFor();
  const news = page.getByRole('button', { name: /Okay, Let's Go/ });
  if (await news.isVisible({ timeout: 5_000 }).catch(() => false)) await news.click();
}

async function ask(page: Page, question: string): Promise<void> {
  await page.locator('#chat-input').click();
  await page.keyboard.type(question);
  await page.keyboard.press('Enter');
}

test('the model is listed, a question is answered, its citation opens with page and score', async ({ page }) => {
  await open(page);
  await expect(page.getByText('ivy-orchestrator').first()).toBeVisible();
  await ask(page, QUESTION);
  await expect(page.getByText('two half-shells of CFRP').first()).toBeVisible({ timeout: 60_000 });
  // The last status stands above the answer; the earlier ones unfold from it.
  await page.getByRole('button', { name: 'Toggle status history' }).click();
  await expect(page.getByText('Retrieved 5 sources')).toBeVisible();
  await expect(page.getByText(/^\d sentences? checked: /).first()).toBeVisible();
  // What is shown once more after a reload was saved.
  await expect(page.getByRole('button', { name: '5 Sources' })).toBeVisible();
  await expect(page).toHaveURL(/\/c\//);
  await expect(page).toHaveTitle(/Payload fairing/);
  await page.reload();
  await page
    .getByRole('button', { name: /hedera-2-payloa.*p\. 3$/ })
    .first()
    .click();
  const source = page.getByRole('dialog');
  await expect(source.getByText('hedera-2-payload-fairing.pdf · p. 3').first()).toBeVisible();
  await expect(source).toContainText(/\d\d\.\d\d%\s*\(page\s+3\)/);
  await expect(source.getByRole('link').first()).toHaveAttribute('href', /\/view\/doc_.*page=3/);
  await page.screenshot({ path: test.info().outputPath('citation.png') });
});

test('its chores were answered without documents, after the question', async () => {
  await until(() => ollama.chats.length >= 4);
  const [question, ...chores] = ollama.chats.map(({ messages }) => messages);
  // After the passages, in one message with them.
  expect(question?.at(-1)?.content.endsWith(QUESTION)).toBe(true);
  for (const chore of chores) {
    expect(chore).toHaveLength(1);
    expect(chore[0]?.content).toMatch(/^### Task:/);
  }
  // Its own tools stay at home: `builtin_tools` is false.
  expect(ollama.chats[0]).not.toHaveProperty('tools');
});

test('stop reaches the model, and what was written stays', async ({ page }) => {
  ollama.behaviour = { tokens: Array.from({ length: 500 }, (_, n) => `word${n} `), tokenMs: 50 };
  await open(page);
  await ask(page, 'Tell me about the fairing, at length.');
  await expect(page.getByText(/word5 /)).toBeVisible({ timeout: 30_000 });
  const before = ollama.aborted;
  await page.getByRole('button', { name: 'Stop' }).click();
  await until(() => ollama.aborted > before);
  await expect(page.getByText(/word5 /)).toBeVisible();
  ollama.behaviour = {};
});

test('an error is shown as Ivy words it', async ({ page }) => {
  // Its page misses an error that comes sooner than its own chat is set up.
  ollama.behaviour = { status: 503, statusAfterMs: 500 };
  await open(page);
  await ask(page, 'What is the mass of the fairing?');
  await expect(page.getByText(/queue is full/).first()).toBeVisible({ timeout: 30_000 });
  await page.screenshot({ path: test.info().outputPath('error.png') });
  ollama.behaviour = {};
});
