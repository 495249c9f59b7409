import { readFileSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import { expect, test } from 'playwright/test';
import { Ivy, until } from './ivy';
import { FAKE_ANTHROPIC_KEY, FakeAnthropic } from './upstreams/fake-anthropic';
import { FakeOllama } from './upstreams/fake-ollama';

const ollama = new FakeOllama();
const anthropic = new FakeAnthropic();
let ivy: Ivy;
const env = () => ({
  OLLAMA_BASE_URL: ollama.url,
  ANTHROPIC_API_KEY: FAKE_ANTHROPIC_KEY,
  ANTHROPIC_BASE_URL: anthropic.url,
});

test.describe.configure({ mode: 'serial' });
test.beforeAll(async () => {
  await ollama.start();
  await anthropic.start();
  ollama.addChatModel('mistral:latest');
  ivy = await Ivy.start({ env: env() });
  await ivy.settled();
});
test.afterAll(async () => {
  await ivy.stop();
  await ollama.stop();
  await anthropic.stop();
});

const health = () => ivy.json<{ llm_provider: string; model: string | null }>('/health');
const completion = (change = {}) =>
  ivy.json<{ choices: { message: { content: string } }[] }>('/v1/chat/completions', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'ivy-orchestrator',
      messages: [{ role: 'user', content: 'What is the payload fairing design?' }],
      ...change,
    }),
  });

test('what was asked can be looked at: how it was searched, with every score, and the answer', async ({ page }) => {
  ollama.behaviour = { tokens: ['It has two half-shells [1]. ', 'It weighs 77 t [1].'] };
  await completion();
  ollama.behaviour = {};
  await page.goto(`${ivy.url}/admin`);
  const runs = page.getByRole('region', { name: 'Questions and answers' });
  const run = runs.getByRole('listitem').filter({ hasText: 'What is the payload fairing design?' }).first();
  await expect(run).toContainText('1 to check');
  await run.locator('summary').click();
  const candidates = run.getByRole('region', { name: 'Candidates' });
  await expect(candidates).toContainText('hedera-2-payload-fairing.pdf, page 3');
  await expect(candidates.getByRole('row').nth(1)).toContainText(/#1/);
  await expect(run).toContainText('It has two half-shells [1].');
  await expect(run).toContainText(/keyword \d+\.\d ms/);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    run.getByRole('link', { name: 'Export' }).click(),
  ]);
  const record = JSON.parse(readFileSync(await download.path(), 'utf8'));
  expect(record).toMatchObject({ question: 'What is the payload fairing design?', finish: 'stop' });
  expect(JSON.stringify(record.retrieval)).not.toContain('half-shells');
});

test('shows the state of every dependency', async ({ page }) => {
  await page.goto(`${ivy.url}/admin`);
  const state = page.getByRole('region', { name: 'State' });
  await expect(state.getByRole('listitem').filter({ hasText: 'Ollama' })).toContainText('version 0.17.4');
  await expect(state.getByRole('listitem').filter({ hasText: 'passages' })).toContainText('3 documents');
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'])
    .analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
});

test('switches provider and model at once, without a restart', async ({ page }) => {
  await page.goto(`${ivy.url}/admin`);
  const active = page.getByTestId('active-model');
  await expect(active).toHaveText('llama3.1:latest (local)');
  await page.getByLabel('Ollama model', { exact: true }).selectOption('mistral:latest');
  await page.getByRole('button', { name: 'Use Ollama' }).click();
  await expect(active).toHaveText('mistral:latest (local)');
  await completion();
  expect(ollama.chats.at(-1)?.model).toBe('mistral:latest');

  expect(anthropic.calls).toHaveLength(0);
  await expect(page.getByText('Questions and passages leave this machine and go to Anthropic.')).toBeVisible();
  await page.getByRole('button', { name: 'Use Claude' }).click();
  await expect(active).toHaveText('claude-sonnet-5-5 (claude)');
  await completion();
  expect(anthropic.calls).toHaveLength(1);

  await page.getByRole('button', { name: 'Use Quotations only' }).click();
  await expect(active).toHaveText('Ivy’s own quotations');
  expect((await completion()).choices[0]?.message.content).toContain('No language model is configured');
});

test('a running answer goes on as it began when the model is switched', async () => {
  await ivy.kill();
  await ivy.launch();
  expect(await health()).toMatchObject({ llm_provider: 'builtin' });
  ivy.writeEnv({ ...env(), LLM_PROVIDER: 'local' });
  await until(async () => (await health()).llm_provider === 'local');
  ollama.behaviour = { tokens: Array.from({ length: 40 }, (_, n) => `w${n} `), tokenMs: 40 };
  const answer = completion();
  await until(
    () => ollama.chats.at(-1)?.model === 'mistral:latest' || ollama.chats.at(-1)?.model === 'llama3.1:latest',
  );
  ivy.writeEnv({ ...env(), LLM_PROVIDER: 'builtin' });
  await until(async () => (await health()).llm_provider === 'builtin');
  expect((await answer).choices[0]?.message.content).toContain('w39');
  ollama.behaviour = {};
  ivy.writeEnv(env());
  await until(async () => (await health()).llm_provider === 'local');
});

test('pulls a model with progress that outlives a reload, cancels it, and pulls it again', async ({ page }) => {
  ollama.pullStepMs = 400;
  await page.goto(`${ivy.url}/admin`);
  await page.getByLabel('Pull a model').fill('../evil');
  await page.getByRole('button', { name: 'Pull', exact: true }).click();
  await expect(page.getByRole('main').getByRole('alert')).toContainText('This is not a model name');
  await page.getByRole('button', { name: 'Pull qwen2.5' }).click();
  const pull = page.getByRole('listitem', { name: 'Pull of qwen2.5' });
  await expect(pull).toContainText(/\d\.\d GB of 4\.0 GB/);
  await page.reload();
  await expect(pull).toContainText(/\d\.\d GB of 4\.0 GB/);
  const before = ollama.aborted;
  await page.getByRole('button', { name: 'Cancel pulling qwen2.5' }).click();
  await expect(pull).toContainText('Cancelled.');
  await until(() => ollama.aborted === before + 1);
  ollama.pullStepMs = 5;
  await page.getByRole('button', { name: 'Pull qwen2.5 again' }).click();
  await expect(pull).toContainText('Installed.');
  await expect(page.getByRole('button', { name: 'Remove qwen2.5:latest' })).toBeVisible();
});

test('a pull that fails says why', async ({ page }) => {
  ollama.pullFault = 'error-line';
  await page.goto(`${ivy.url}/admin`);
  await page.getByLabel('Pull a model').fill('codellama');
  await page.getByRole('button', { name: 'Pull', exact: true }).click();
  await expect(page.getByRole('listitem', { name: 'Pull of codellama' })).toContainText('no space left on device');
  ollama.pullFault = undefined;
});

test('removes a model after asking', async ({ page }) => {
  await page.goto(`${ivy.url}/admin`);
  await page.getByRole('button', { name: 'Remove mistral:latest' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  expect(ollama.models.map(({ name }) => name)).toContain('mistral:latest');
  await page.getByRole('button', { name: 'Remove mistral:latest' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove mistral:latest' }).click();
  await expect(page.getByRole('button', { name: 'Remove mistral:latest' })).toHaveCount(0);
  expect(ollama.models.map(({ name }) => name)).not.toContain('mistral:latest');
});

test('ingestion can be paused, and what waits removed', async ({ page }) => {
  await page.goto(`${ivy.url}/admin`);
  const documents = page.getByRole('region', { name: 'Documents' });
  await documents.getByLabel('Collection').fill('spares');
  await page
    .getByLabel('Files to add')
    .setInputFiles([
      { name: 'spare.md', mimeType: 'text/markdown', buffer: Buffer.from('# Spare\n\nThe spare valve.') },
    ]);
  const row = documents.getByRole('listitem').filter({ hasText: 'spare.md' });
  await expect(row.filter({ hasText: 'spares' }).first()).toBeVisible();
  await fetch(`${ivy.url}/api/trpc/documents.pause`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: ivy.url },
    body: JSON.stringify({ paused: true }),
  });
  await ivy.upload('waiting.md', '# Waiting');
  await expect(documents.getByRole('status').filter({ hasText: '1 waiting (paused)' })).toBeVisible();
  await documents.getByRole('button', { name: 'Remove waiting' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(documents.getByText('waiting.md')).toHaveCount(0);
  await documents.getByRole('button', { name: 'Go on' }).click();
  await expect(documents.getByRole('button', { name: 'Go on' })).toHaveCount(0);
  await ivy.upload('later.md', '# Later\n\nThe later valve.');
  await ivy.settled();
});

test('uploads documents, names what is wrong with a broken one, and deletes', async ({ page }) => {
  await page.goto(`${ivy.url}/admin`);
  await page.getByLabel('Files to add').setInputFiles([
    { name: 'tank.md', mimeType: 'text/markdown', buffer: Buffer.from('# Tank\n\nThe tank holds 92 t of methalox.') },
    {
      name: 'broken.pdf',
      mimeType: 'application/pdf',
      buffer: Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(4000, 66)]),
    },
    { name: '"><svg onload=window.__x=1>.md', mimeType: 'text/markdown', buffer: Buffer.from('Odd name.') },
    { name: 'tool.exe', mimeType: 'application/octet-stream', buffer: Buffer.from([0x4d, 0x5a, 0, 1, 2]) },
  ]);
  const documents = page.getByRole('region', { name: 'Documents' });
  await expect(documents.getByRole('list', { name: 'Uploads' })).toContainText(
    'tool.exe cannot be read: it is neither PDF',
  );
  const row = (name: string) =>
    documents.getByRole('listitem').filter({ has: page.getByRole('button', { name: `Delete ${name}` }) });
  await expect(row('tank.md')).toContainText('1 section · 1 passage');
  await expect(row('broken.pdf')).toContainText('Failed: The PDF is damaged and cannot be read.');
  // Browsers write a quotation mark in a file name as %22.
  await expect(row('%22><svg onload=window.__x=1>.md')).toContainText('1 passage');
  expect(await page.evaluate(() => (window as { __x?: number }).__x)).toBeUndefined();
  await page.getByRole('button', { name: 'Delete tank.md' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(row('tank.md')).toHaveCount(0);
  const { documents: left } = await ivy.json<{ documents: { source: string }[] }>('/documents?limit=50');
  expect(left.map(({ source }) => source)).not.toContain('tank.md');
});

test('samples that were deleted do not come back', async () => {
  const { documents } = await ivy.json<{ documents: { id: string; source: string }[] }>('/documents?limit=50');
  for (const { id, source } of documents) {
    if (source.startsWith('hedera')) await fetch(`${ivy.url}/documents/${id}`, { method: 'DELETE' });
  }
  await ivy.kill();
  await ivy.launch();
  const after = await ivy.json<{ documents: { source: string }[] }>('/documents?limit=50');
  expect(after.documents.filter(({ source }) => source.startsWith('hedera'))).toEqual([]);
});

test('an edit of .env that is not valid is reported on the page', async ({ page }) => {
  ivy.writeEnv({ ...env(), RAG_TOP_K: 'many' });
  await page.goto(`${ivy.url}/admin`);
  await expect(page.getByRole('main').getByRole('alert')).toContainText('RAG_TOP_K must be a whole number');
  ivy.writeEnv(env());
  await expect(page.getByRole('main').getByRole('alert')).toHaveCount(0);
});

test('the page says how to connect Open WebUI, and sees it when it comes', async ({ page }) => {
  await page.goto(`${ivy.url}/admin`);
  const section = page.locator('#open-webui');
  await expect(section.getByText(`OPENAI_API_BASE_URLS=${ivy.url}/v1`)).toBeVisible();
  await expect(section.getByTestId('open-webui-seen')).toContainText('No request from Open WebUI');
  const ask = (headers: Record<string, string>) =>
    ivy.chat({ model: 'ivy-orchestrator', messages: [{ role: 'user', content: 'Hello there' }] }, headers);
  await ask({ 'user-agent': 'Python/3.11 aiohttp/3.13' });
  await expect(section.getByTestId('open-webui-seen')).toContainText('do not arrive');
  await ask({ 'x-openwebui-task': '' });
  await expect(section.getByTestId('open-webui-seen')).toContainText('Its headers arrive.');
});

test('how the clients of a key get their citations is set on the page', async ({ page }) => {
  await page.goto(`${ivy.url}/admin`);
  const section = page.locator('#keys');
  await ivy.upload('vernier.md', '# Vernier\n\nThe vernier thruster of the upper stage has a thrust of 22 newtons.');
  await ivy.settled();
  await expect(section.getByText('No key is set.')).toBeVisible();
  const key = 'ivy-key-of-this-test-0123456789';
  ivy.writeEnv({ ...env(), LLM_PROVIDER: 'builtin', IVY_API_KEYS: key });
  await expect(section.getByText('…6789')).toBeVisible();
  await section.getByLabel('Citations').selectOption({ label: 'Footnotes in the text' });
  await until(async () => {
    const response = await ivy.chat(
      {
        model: 'ivy-orchestrator',
        messages: [{ role: 'user', content: 'What thrust has the vernier thruster?' }],
      },
      { authorization: `Bearer ${key}` },
    );
    return (await response.text()).includes('**Sources**');
  });
  await page.reload();
  await expect(section.getByLabel('Citations')).toHaveValue('footnotes');
  // Who asked counts only when the key is trusted to say so.
  await section.getByLabel('Believe the user it names').click();
  await expect(section.getByLabel('Believe the user it names')).toBeChecked();
  await until(async () => {
    await ivy.chat(
      {
        model: 'ivy-orchestrator',
        messages: [{ role: 'user', content: 'What is the vernier?' }],
      },
      { authorization: `Bearer ${key}`, 'x-openwebui-user-id': 'ada' },
    );
    return (await page.locator('#usage').textContent())?.includes('ada') ?? false;
  });
  ivy.writeEnv(env());
  await expect(section.getByText('No key is set.')).toBeVisible();
});

test('golden questions show how well the search finds the right pages', async ({ page }) => {
  await ivy.upload('manual.md', '# Fairing\n\nThe external diameter of the payload fairing is 4.0 m.');
  await ivy.settled();
  await page.goto(`${ivy.url}/admin`);
  const section = page.getByRole('region', { name: 'Quality of the search' });
  const field = section.getByLabel(/^One question a line/);
  await field.fill('How heavy is the fairing?,manual.md,three');
  await section.getByRole('button', { name: 'Keep and ask all' }).click();
  await expect(section.getByText('Row 1 has the page “three”, which is no number.')).toBeVisible();
  await field.fill(
    [
      'question,document,page',
      'What is the external diameter of the payload fairing?,manual.md,1',
      'What is the external diameter of the payload fairing?,manual.md,9',
      'Who won the football match?,manual.md,',
    ].join('\n'),
  );
  await section.getByRole('button', { name: 'Keep and ask all' }).click();
  await expect(section.getByText(/^right page first 33 %, among five \d+ % of 3 questions/)).toBeVisible();
  const rows = section.getByRole('row');
  await expect(rows).toHaveCount(4);
  await expect(rows.nth(1).getByRole('cell').nth(2)).toHaveText('1');
  await expect(rows.nth(3).getByRole('cell').nth(2)).toHaveText('none');
  await section.getByRole('button', { name: 'Keep and ask all' }).click();
  await expect(section.getByText('Earlier results')).toBeVisible();
  // They are kept.
  await page.reload();
  await expect(field).toHaveValue(/football match/);
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
});
