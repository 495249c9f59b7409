import { readdirSync } from 'node:fs';
import { expect, test } from 'playwright/test';
import { docx, pdf, wordBody, zip } from '../server/testing/document-files';
import { Ivy, until } from './ivy';
import { FakeServer } from './upstreams/server';

// Abuse cases about files, each named by its id in the list of docs/security.md.

interface Document {
  id: string;
  source: string;
  status: string;
  error: string | null;
}

/** Must never be asked for anything. */
const canary = new FakeServer((_request, response) => {
  hits += 1;
  response.end('');
});
let hits = 0;
let ivy: Ivy;
test.beforeAll(async () => {
  await canary.start();
  ivy = await Ivy.start({ empty: true });
});
test.afterAll(async () => {
  await ivy.stop();
  await canary.stop();
});
test.afterEach(() => expect(hits).toBe(0));

const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));

/** Uploads a file and waits until it was read or refused; meanwhile the server must answer. */
async function take(name: string, content: string | Uint8Array<ArrayBuffer>): Promise<Document> {
  const response = await ivy.upload(name, content);
  const stored = (await response.json()) as Document;
  expect(response.status, JSON.stringify(stored)).toBeLessThan(300);
  let now = stored;
  await until(async () => {
    expect((await fetch(`${ivy.url}/ready`)).status).toBe(200);
    const { documents } = await ivy.json<{ documents: Document[] }>('/documents?limit=200');
    now = documents.find(({ id }) => id === stored.id) ?? now;
    return now.status === 'ready' || now.status === 'failed';
  });
  return now;
}

async function find(query: string): Promise<string> {
  const response = await fetch(`${ivy.url}/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, limit: 50 }),
  });
  return response.text();
}

test('F1: names never become paths', async () => {
  const before = readdirSync(ivy.home).sort();
  for (const name of ['../../up.md', '..\\..\\up2.md', '%2e%2e%2fup3.md', `${'n'.repeat(300)}.md`, 'a\u202egnp.md']) {
    const { source } = await take(name, `# Some words about ${name.length}`);
    expect(source).not.toContain('..');
    expect(source.length).toBeLessThanOrEqual(205);
  }
  expect(readdirSync(ivy.home).sort()).toEqual(before);
  for (const id of ['..%2f..%2fivy.db', '../ivy.db', '%00']) {
    const response = await fetch(`${ivy.url}/documents/${id}`, { method: 'DELETE' });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
  }
  expect(ivy.hasFile('data/ivy.db')).toBe(true);
});

test('F2: a Word document of 400 MB in 400 kB is refused, quickly and in words', async () => {
  const { status, error } = await take('bomb.docx', docx(wordBody(' '.repeat(400_000_000))));
  expect([status, error]).toEqual(['failed', expect.stringMatching(/more than 300 MB/)]);
});

test('F3: entities that multiply, entities from elsewhere, and endless nesting fail alone', async () => {
  const laughs = `<!DOCTYPE x [<!ENTITY a "${'ha'.repeat(50)}">${Array.from(
    { length: 9 },
    (_, n) => `<!ENTITY a${n} "${`&${n === 0 ? 'a' : `a${n - 1}`};`.repeat(10)}">`,
  ).join('')}]>`;
  const word = await take('laughs.docx', docx(`${laughs}${wordBody('<w:p><w:r><w:t>&a8;</w:t></w:r></w:p>')}`));
  expect(JSON.stringify(word).length).toBeLessThan(2_000);
  expect(await find('hahaha ha')).not.toContain('hahahahahahahahahaha');
  const elsewhere = `<!DOCTYPE x SYSTEM "${canary.url}/x.dtd" [<!ENTITY e SYSTEM "file:///etc/passwd">]>`;
  await take('xxe.docx', docx(`${elsewhere}${wordBody('<w:p><w:r><w:t>secret &e;</w:t></w:r></w:p>')}`));
  await take('xxe.pptx', zip({ 'ppt/presentation.xml': `${elsewhere}<p>&e;</p>` }));
  expect(await find('root secret')).not.toContain('root:x:');
  const nested = `<html><body>${'<table><tr><td>'.repeat(10_000)}deep${'</td></tr></table>'.repeat(10_000)}</body></html>`;
  expect((await take('nested.html', nested)).error ?? 'read').toMatch(/^(read|.+\.)$/);
});

test('F4: pages in a circle, a table that points to itself, a bomb, and encryption each end with a reason', async () => {
  const circle = pdf('<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Kids [2 0 R] /Count 1 >>');
  expect((await take('circle.pdf', circle)).status).toBe('failed');
  const self = bytes(
    '%PDF-1.7\nxref\n0 1\n0000000000 65535 f \ntrailer\n<< /Prev 9 /Root 1 0 R >>\nstartxref\n9\n%%EOF\n',
  );
  expect((await take('self.pdf', self)).error).toMatch(/damaged/);
  const locked = pdf(
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [] /Count 0 >>',
    '<< /Filter /Standard /V 2 /R 3 /Length 128 /O <00> /U <00> /P -4 >>',
  );
  expect((await take('locked.pdf', locked)).status).toBe('failed');
});

test('F5: a font that is a program runs nowhere when its page is drawn', async ({ page }) => {
  // As in CVE-2024-4367: the last number of the matrix ends the generated function and begins another.
  const program = '(0\\); globalThis.__x = 1; fetch\\(`/pwned`\\); //)';
  const content = 'BT /F1 24 Tf 50 700 Td (The font of this page is hostile.) Tj ET';
  const file = pdf(
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    `<< /Type /Font /Subtype /Type1 /BaseFont /Evil /Encoding /WinAnsiEncoding /FontMatrix [0.001 0 0 0.001 0 ${program}] /FontDescriptor 6 0 R /FirstChar 32 /LastChar 33 /Widths [500 500] >>`,
    '<< /Type /FontDescriptor /FontName /Evil /Flags 32 /FontBBox [0 0 1000 1000] /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 >>',
  );
  const { id, status } = await take('font.pdf', file);
  expect(status).toBe('ready');
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(`${ivy.url}/view/${id}?page=1`);
  await expect(page.getByRole('img', { name: 'Page 1 as it looks' })).toHaveAttribute('data-drawn', '1');
  expect(await page.evaluate(() => '__x' in globalThis)).toBe(false);
  expect(asked.filter((url) => url.includes('pwned'))).toEqual([]);
});

test('a page that is measured in units of its own is marked where its lines stand', async ({ page }) => {
  const content = 'BT /F1 12 Tf 60 340 Td (The gimbal swings by seven degrees.) Tj ET';
  const file = pdf(
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /UserUnit 2 /MediaBox [0 0 300 400] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  );
  const { id } = await take('units.pdf', file);
  await page.goto(`${ivy.url}/view/${id}?page=1&passage=${id}-1`);
  const picture = page.getByRole('img', { name: 'Page 1 as it looks' });
  await expect(picture).toHaveAttribute('data-drawn', '1');
  const [mark, whole] = [await page.locator('[data-passage]').boundingBox(), await picture.boundingBox()];
  expect(((mark?.x ?? 0) - (whole?.x ?? 0)) / (whole?.width ?? 1)).toBeCloseTo(0.2, 1);
  expect(((mark?.y ?? 0) - (whole?.y ?? 0)) / (whole?.height ?? 1)).toBeCloseTo(0.12, 1);
});

test('F6: a program and a foreign archive are refused by their content, whatever they are called', async () => {
  for (const [name, content] of [
    ['tool.pdf', bytes(`MZ\x90\x00\x03${'\x00'.repeat(100)}`)],
    ['things.docx', zip({ 'readme.txt': 'hello' })],
    ['old.doc', new Uint8Array(Buffer.from('d0cf11e0a1b11ae1', 'hex'))],
  ] as const) {
    const response = await ivy.upload(name, new Uint8Array(content));
    expect(response.status, name).toBe(415);
    expect((await response.json()).error.message).toContain(name);
  }
  expect(await take('page.pdf', '<!doctype html><p>It is a page about turbopumps.</p>')).toMatchObject({
    status: 'ready',
  });
});

test('F7: text that is hard on parsers holds up nobody', async () => {
  for (const [name, piece] of [
    ['brackets.md', '['],
    ['quotes.md', '>'],
    ['stars.md', '*a_'],
    ['line.txt', 'word '],
    ['rows.csv', '"a,'],
    ['pipes.md', '|-'],
  ] as const) {
    const { status, error } = await take(name, piece.repeat(1_000_000 / piece.length));
    if (status === 'failed') expect(error, name).toMatch(/\.$/);
  }
  const response = await fetch(`${ivy.url}/documents`, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    body: `--b\r\ncontent-disposition: form-data; name="file"; filename="${'\\"'.repeat(200_000)}\r\n\r\nx\r\n--b--\r\n`,
  });
  expect(response.status).toBeGreaterThanOrEqual(400);
  // The same client can go on at once.
  expect((await ivy.upload('after.md', '# Afterwards')).status).toBe(202);
});

test('S11: nothing that a document names is fetched', async () => {
  const { url } = canary;
  const rels = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId9" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image" Target="${url}/i.png" TargetMode="External"/></Relationships>`;
  const picture =
    '<w:p><w:r><w:t>Outside picture</w:t><w:drawing><a:blip xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:link="rId9"/></w:drawing></w:r></w:p>';
  const word = docx(wordBody(picture), { 'word/_rels/document.xml.rels': rels });
  expect(await take('outside.docx', word)).toMatchObject({ status: 'ready' });
  const html = `<html><head><link rel="stylesheet" href="${url}/s.css"><script src="${url}/s.js"></script></head><body><p>Outside page</p><img src="${url}/i.png"><svg><use href="${url}/u.svg#x"/></svg><iframe src="${url}/f"></iframe></body></html>`;
  expect(await take('outside.html', html)).toMatchObject({ status: 'ready' });
  await take('outside.md', `Outside text ![x](${url}/i.png)\n\n[r]: ${url}/r\n![y][r]\n`);
  await take(
    'outside.pdf',
    pdf(
      `<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /URI /URI (${url}/u) >> >>`,
      '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (${url}/a) >> >>] >>`,
    ),
  );
  expect(await find('outside')).toContain('Outside page');
});
