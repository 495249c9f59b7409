import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'playwright/test';
import { Ivy, until } from './ivy';

const KEY = 'ivy-0123456789abcdef0123456789abcdef';
const PASSWORD = 'correct horse battery';

test.describe('on a network address', () => {
  let ivy: Ivy;
  test.beforeAll(async () => {
    ivy = await Ivy.start({ env: { HOST: '0.0.0.0', IVY_API_KEYS: KEY, IVY_ADMIN_PASSWORD: PASSWORD } });
    await until(async () => (await fetch(`${ivy.url}/health`)).ok);
  });
  test.afterAll(() => ivy.stop());

  const bearer = { authorization: `Bearer ${KEY}` };
  for (const [path, init] of [
    ['/v1/models', {}],
    ['/v1/models/ivy-orchestrator', {}],
    [
      '/v1/chat/completions',
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"model":"ivy-orchestrator","messages":[{"role":"user","content":"What is the fairing?"}]}',
      },
    ],
    ['/query', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"query":"fairing"}' }],
    ['/documents', {}],
  ] as [string, RequestInit][]) {
    test(`${init.method ?? 'GET'} ${path} needs a key`, async () => {
      expect((await fetch(ivy.url + path, init)).status).toBe(401);
      expect(
        (await fetch(ivy.url + path, { ...init, headers: { ...init.headers, authorization: 'Bearer wrong' } })).status,
      ).toBe(401);
      expect((await fetch(ivy.url + path, { ...init, headers: { ...init.headers, ...bearer } })).status).toBe(200);
    });
  }

  test('procedures of the pages need a session, a key does not do', async () => {
    for (const path of [
      'admin.overview',
      'admin.models',
      'chat.models',
      'documents.list?input=%7B%22limit%22%3A10%7D',
    ]) {
      for (const headers of [{}, bearer]) {
        expect((await fetch(`${ivy.url}/api/trpc/${path}`, { headers })).status, path).toBe(401);
      }
    }
  });

  test('health is public and shows no secret', async () => {
    const text = await (await fetch(`${ivy.url}/health`)).text();
    expect(text).not.toContain(KEY);
    expect(text).not.toContain(PASSWORD);
  });

  test('pages lead to the sign-in and back', async ({ page }) => {
    await page.goto(`${ivy.url}/admin`);
    await page.waitForURL(/\/login\?next=%2Fadmin/);
    await page.getByLabel('Admin password').fill('wrong password');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('main').getByRole('alert')).toContainText('This password is not right.');
    await page.getByLabel('Admin password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('heading', { name: 'Admin' })).toBeVisible();
    await expect(page.getByTestId('active-model')).toBeVisible();
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ name: 'ivy_session', httpOnly: true, sameSite: 'Strict' });
  });

  test('pages carry a strict policy that a request cannot change', async () => {
    const response = await fetch(ivy.url, {
      headers: { 'content-security-policy': "script-src 'nonce-evil'", 'x-nonce': 'evil' },
    });
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/script-src 'self' 'nonce-[A-Za-z0-9+/=]+' 'strict-dynamic'/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("img-src 'self' data:");
    expect(policy + (await response.text())).not.toContain('nonce-evil');
  });
});

test('never starts open on a network address', async () => {
  await expect(Ivy.start({ env: { HOST: '0.0.0.0' } })).rejects.toThrow(
    /would open Ivy to the network without any credential/,
  );
});

test('the drop folder takes files, and npm run ingest sends them', async () => {
  const ivy = await Ivy.start({ empty: true });
  try {
    const folder = join(ivy.home, 'data', 'ingestion');
    writeFileSync(join(folder, 'unprocessed', 'tank.md'), '# Tank\n\nThe tank holds 92 t of methalox.');
    writeFileSync(join(folder, 'unprocessed', 'broken.pdf'), '%PDF-1.7\nnothing');
    await until(
      () => readdirSync(join(folder, 'failed')).length === 2 && readdirSync(join(folder, 'processed')).length === 1,
    );
    expect(readFileSync(join(folder, 'failed', 'broken.pdf.reason.txt'), 'utf8')).toContain('damaged');
    expect(readdirSync(join(folder, 'unprocessed'))).toEqual([]);

    mkdirSync(join(ivy.home, 'more'));
    writeFileSync(join(ivy.home, 'more', 'engine.txt'), 'The engine gives 900 kN of thrust.');
    const { stdout, status } = spawnSync(
      process.execPath,
      [
        'scripts/ingest.mjs',
        join(ivy.home, 'misspelt'),
        join(ivy.home, 'more'),
        join(ivy.home, 'data', 'ingestion', 'failed', 'broken.pdf'),
      ],
      {
        env: { ...process.env, IVY_ROOT: ivy.home, PORT: String(ivy.port) },
        encoding: 'utf8',
      },
    );
    expect(status).toBe(1);
    expect(stdout).toMatch(/ready {2}.*engine\.txt: 1 page, 1 passage$/m);
    expect(stdout).toMatch(/failed .*misspelt: There is no such file or folder\./);
    expect(stdout).toContain('1 of 3 files are in the knowledge base.');
  } finally {
    await ivy.stop();
  }
});

test('a port that is taken is said plainly', async () => {
  const ivy = await Ivy.start({ empty: true });
  try {
    const { stderr, status } = spawnSync(process.execPath, ['scripts/start.mjs'], {
      env: { ...process.env, IVY_ROOT: ivy.home, PORT: String(ivy.port) },
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toContain(`Port ${ivy.port} is taken`);
  } finally {
    await ivy.stop();
  }
});
