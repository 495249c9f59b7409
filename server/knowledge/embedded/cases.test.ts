import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Retrieval } from '../../core/knowledge';
import { openDatabase } from '../../store/database';
import { DocumentRepository } from '../../store/documents';
import { patience, unmanagedFolder } from '../../testing/collect';
import { content, ingest, root } from '../../testing/knowledge';
import { KnowledgeBase } from './knowledge-base';
import { detectMediaType } from './media-type';
import { parseDocument } from './parse';

/**
 * Small inputs that real users' reports led to, and others of the same kinds. The former lie beside a developer's
 * checkout alone; the latter are written here.
 */
const folder = join(root, '..', 'shared', 'data', 'cases');
const hasCases = existsSync(folder);

const OWN: Record<string, string | Buffer> = {
  'de-stueckliste.csv': 'Benennung;Masse\nDichtungsringe;3 kg\nFührungsbolzen;1 kg\nSchließfeder;2 kg\n',
  'nl-onderdelen.csv': 'Onderdeel;Gewicht\nklemringen;3 kg\nveren;1 kg\n',
  'ja.txt': '分離ばねの質量は三キログラムである。推進剤タンクの圧力は六バールを超えてはならない。\n',
  'ko.txt': '분리 스프링의 질량은 삼 킬로그램이다. 추진제 탱크의 압력은 육 바를 넘지 않아야 한다.\n',
  'th.txt': 'มวลของสปริงแยกคือสามกิโลกรัม แรงดันถังเชื้อเพลิงต้องไม่เกินหกบาร์\n',
  'it.txt': "L'ugello dell'ossidante è verificato prima dell'accensione. La pressione dell'olio non supera 6 bar.\n",
  'id-shy.txt': 'Requirement KLM\u00ad-TVC\u2011007\u2060: the gimbal plover reaches six degrees.\n',
  'id-joined.md': '| ID | Text |\n| --- | --- |\n| GNC_REQ_0451 | The star tracker dunnock shall update at 4 Hz. |\n',
  'pl-cp1250.txt': Buffer.from([
    ...Buffer.from('Zaw'),
    0xf3,
    ...Buffer.from('r odcinaj'),
    0xb9,
    ...Buffer.from('cy jest sprawdzany przed ka'),
    0xbf,
    ...Buffer.from('dym startem. Ci'),
    0x9c,
    ...Buffer.from('nienie nie mo'),
    0xbf,
    ...Buffer.from('e przekroczy'),
    0xe6,
    ...Buffer.from(' 6 bar.\n'),
  ]),
  'el-utf16.txt': Buffer.from('\ufeffΗ βαλβίδα ανοίγει στα 6 bar. Ο ψύκτης ελέγχεται κάθε χρόνο.\n', 'utf16le'),
  'decimal-tab.csv': 'Part\tMass, kg\nClamp, upper\t12,5\nClamp, lower\t0,75\n',
  'sep.csv': 'sep=;\nPart;Length, mm\nWagtail rod;1.200,5\n',
  'fence.md': '# Handling of lapwing\n\nText.\n\n~~~sh\n# not a heading\nexport PATH\n~~~\n\n## Storage\n\nKeep dry.\n',
  'table-spans.html':
    '<div><h2>Bunting limits</h2><table><thead><tr><th rowspan="2">Case</th><th colspan="2">Load (kN)</th></tr><tr><th>Axial</th><th>Lateral</th></tr></thead><tbody><tr><td rowspan="2">Lift-off</td><td>12</td><td>3</td></tr><tr><td>14</td><td>5</td></tr></tbody></table><p hidden>HIDDENSHRIKE</p></div>',
  'letter.eml':
    'From: Ann <ann@example.org>\r\nTo: Ben <ben@example.org>\r\nSubject: Valve siskin\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>The siskin valve opens at 3=2E5 bar=2E</p><script>var evil</script>\r\n',
  'unicode.rtf':
    "{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0 Arial;}}{\\*\\generator X;}\\f0 Der Kiebitz h\\u228?lt \\'fcber 3\\u176?.\\par{\\trowd\\cell}\\trowd Part\\cell Mass\\cell\\row\\trowd Dunlin\\cell 7 kg\\cell\\row\\pard}",
  'about-pdf.md': 'Notes on files.\n\nThey start with %PDF-1.4 as the checker redstart knows.\n',
};

let knowledge: KnowledgeBase;
let close: () => Promise<void>;
const notices = new Map<string, string | null>();

beforeAll(async () => {
  const { path, remove } = unmanagedFolder();
  const database = await openDatabase(join(path, 'ivy.db'));
  knowledge = await KnowledgeBase.open({
    directory: join(path, 'knowledge'),
    documents: new DocumentRepository(database),
    parseWorkerPath: join(root, 'dist', 'parse-worker.mjs'),
    termWorkerPath: join(root, 'dist', 'term-index-worker.mjs'),
    settleMs: 50,
    maxFileBytes: 50_000_000,
  });
  close = async () => {
    await knowledge.close();
    await database.destroy();
    remove();
  };
  const files = new Map<string, string | Buffer>(Object.entries(OWN));
  for (const name of CASES) if (hasCases) files.set(name, readFileSync(join(folder, name)));
  for (const [name, data] of files) {
    const document = await ingest(knowledge, name, content(data));
    expect([name, document.status, document.error]).toEqual([name, 'ready', null]);
    notices.set(name, document.notice);
  }
}, 60_000);
afterAll(() => close());

const search = (text: string, limit = 5): Promise<Retrieval> =>
  knowledge.query({ text, limit, minScore: undefined, collections: undefined }, patience());
const first = async (question: string) => (await search(question)).passages[0];

const CASES = [
  'auto-numbered-headings.docx',
  'bus-map.md',
  'cjk-cid.pdf',
  'de-tabelle.csv',
  'decimal-comma.csv',
  'docx-features.docx',
  'equation.docx',
  'fr1.txt',
  'fragment.html',
  'front-matter-code.md',
  'hyphens-oddeven-heads.pdf',
  'id-decoy.txt',
  'id-nb.txt',
  'mimetype-not-first.epub',
  'no-heading-styles.docx',
  'number-formats.xlsx',
  'office365-document2.docx',
  'one-bad-byte-late.txt',
  'pdf-header-note.md',
  'ru-cp1251.txt',
  'sample.rtf',
  'spans-nav.html',
  'strictdoc-slide62.pdf',
  'table-two-pages.pdf',
  'zh-utf8.txt',
];

describe('inputs of the same kinds', () => {
  test.each([
    ['Wie schwer sind die Dichtungsringe?', 'de-stueckliste.csv'],
    ['Dichtungsring', 'de-stueckliste.csv'],
    ['dichtungsringe', 'de-stueckliste.csv'],
    ['SCHLIESSFEDER', 'de-stueckliste.csv'],
    ['klemringen', 'nl-onderdelen.csv'],
    ['分離ばねの質量', 'ja.txt'],
    ['推進剤タンク', 'ja.txt'],
    ['분리 스프링', 'ko.txt'],
    ['추진제', 'ko.txt'],
    ['แรงดันถังเชื้อเพลิง', 'th.txt'],
    ['accensione', 'it.txt'],
    ["qual è la pressione dell'olio?", 'it.txt'],
    ['ossidante', 'it.txt'],
    ['KLM-TVC-007', 'id-shy.txt'],
    ['KLM–TVC–007', 'id-shy.txt'],
    ['GNC_REQ_0451', 'id-joined.md'],
    ['GNC-REQ-0451', 'id-joined.md'],
    ['Zawór odcinający', 'pl-cp1250.txt'],
    ['ψύκτης', 'el-utf16.txt'],
    ['ΨΥΚΤΗΣ', 'el-utf16.txt'],
    ['wagtail', 'sep.csv'],
    ['siskin valve', 'letter.eml'],
    ['Kiebitz', 'unicode.rtf'],
    ['redstart', 'about-pdf.md'],
  ])('%j finds %s first', async (question, source) => expect((await first(question))?.source).toBe(source));

  test('encodings are detected, and what was assumed is said', () => {
    expect(notices.get('pl-cp1250.txt')).toMatch(/not UTF-8; it was read as windows-1250/);
    expect(notices.get('el-utf16.txt')).toBeNull();
  });

  test('tables keep their values under their heads', async () => {
    expect((await first('Bunting limits'))?.text).toContain('| Lift-off | 14 | 5 |');
    expect((await first('Bunting limits'))?.text).toContain('| Case | Load (kN) Axial | Load (kN) Lateral |');
    expect((await first('Clamp, upper'))?.text).toContain('| Clamp, upper | 12,5 |');
    expect((await first('wagtail'))?.text).toContain('| Wagtail rod | 1.200,5 |');
    expect((await first('Dunlin'))?.text).toContain('| Dunlin | 7 kg |');
  });

  test('what is hidden is left out, and it is said', async () => {
    expect((await search('HIDDENSHRIKE')).passages).toEqual([]);
    expect(notices.get('table-spans.html')).toBe('Left out: hidden parts.');
  });

  test('a comment in code is no heading', async () => {
    const passage = await first('lapwing PATH');
    expect(passage?.heading).toBe('Handling of lapwing');
    expect(passage?.text).toContain('# not a heading');
  });

  test('texts come out as they are written', async () => {
    expect((await first('siskin valve'))?.text).toContain('The siskin valve opens at 3.5 bar.');
    expect((await first('Kiebitz'))?.text).toContain('Der Kiebitz hält über 3°.');
  });
});

describe.skipIf(!hasCases)('the cases (skipped where ../shared/data/cases is absent)', () => {
  test.each([
    ['Wie schwer sind die Trennfedern in der Stückliste?', 'de-tabelle.csv'],
    ['Trennfeder', 'de-tabelle.csv'],
    ['trennfedern', 'de-tabelle.csv'],
    ['冷却泵的额定流量是多少', 'zh-utf8.txt'],
    ['整流罩的质量', 'zh-utf8.txt'],
    ['整流罩质量', 'zh-utf8.txt'],
    ['allumage', 'fr1.txt'],
    ['essai', 'fr1.txt'],
    ['étanchéité', 'fr1.txt'],
    ['PLT-RES-0032', 'id-nb.txt'],
    ['PLT\u2011RES\u20110032', 'id-nb.txt'],
    ['PLT\u2013RES\u20130032', 'id-nb.txt'],
    ['PLT-RES\u00ad-0032', 'id-nb.txt'],
    ['PLT-\u200bRES-0032', 'id-nb.txt'],
    ['насоса', 'ru-cp1251.txt'],
    ['Prüfung', 'one-bad-byte-late.txt'],
    ['冷却ポンプ', 'cjk-cid.pdf'],
    ['saturation', 'hyphens-oddeven-heads.pdf'],
    ['manometer', 'hyphens-oddeven-heads.pdf'],
    ['[REQ-001]', 'docx-features.docx'],
    ['jackdaw', 'equation.docx'],
    ['Tulipan', 'pdf-header-note.md'],
    ['Godwit', 'fragment.html'],
  ])('%j finds %s first', async (question, source) => {
    const found = (await search(question)).passages;
    // Two of the files hold the same text.
    expect([source, 'office365-document2.docx']).toContain(found[0]?.source);
  });

  test.each([
    ['ru-cp1251.txt', /read as windows-1251/],
    ['one-bad-byte-late.txt', /One byte is not valid UTF-8/],
    ['spans-nav.html', /Left out: navigation, hidden parts, page feet/],
  ])('%s: the notice says what was done', (name, notice) => expect(notices.get(name)).toMatch(notice));

  test('numbers that Word makes are in the text, the heading path and the search', async () => {
    expect(await first('clause 3.1.1.1')).toMatchObject({
      source: 'auto-numbered-headings.docx',
      heading: '3 Requirements › 3.1 Design › 3.1.1 Loads › 3.1.1.1 Quasi-static loads',
    });
    expect(await first('3.1.1.2')).toMatchObject({ heading: expect.stringMatching(/3\.1\.1\.2 Random vibration$/) });
  });

  test('a document without heading styles has sections', async () => {
    const { passages } = await search('Between which temperatures shall the subsystem number 37 be kept?');
    expect(passages.length).toBeGreaterThan(1);
    expect(passages[0]?.text).toContain('between 37 and 77');
  });

  test('identifiers are not escaped, and merged cells keep their columns', async () => {
    for (const name of ['MAX_RATE_HZ', 'CFE_ES_TASK_ID']) {
      const { passages } = await search(name, 10);
      const passage = passages.find(({ source }) => source === 'docx-features.docx');
      expect(passage?.text).toContain('MAX_RATE_HZ and CFE_ES_TASK_ID and 5*3 and [REQ-001] #7');
      expect(passage?.text).not.toContain('\\');
      expect(passage?.text).toMatch(/\| (?:Temp )?Temp \| -20 \| 60 \|\n\| (?:Temp )?Temp \| -40 \| 85 \|/);
      for (const part of [
        'FLDSIMPLE7',
        'MATHMARK',
        'NESTEDA',
        'NESTEDB',
        'SDTMARK',
        'INSERTED45Nm',
        'Text on page two',
        'HEADERMARK',
      ]) {
        expect(passage?.text).toContain(part);
      }
      expect(passage?.text).not.toContain('DELETED30Nm');
    }
    const spans = await first('Limits range Min Max Temp MAX_RATE');
    expect(spans?.text).toContain('| Parameter | Range Min | Range Max |');
    for (const mark of ['NAVMARK', 'HIDDENMARK', 'FOOTERMARK copyright']) expect(spans?.text).not.toContain(mark);
  });

  test('formulas, values and columns come out as they are shown', async () => {
    expect((await first('stiffness of the jackdaw beam'))?.text).toContain('k=3EI/L');
    expect((await first('Nuthatch'))?.text).toMatch(/12\.5\s?% \| 12\.5 kg \| 30:00/);
    const csv = (await first('Separation spring'))?.text;
    expect(csv).toContain('| Part | Mass, kg | Length, m |');
    expect(csv).toContain('| Clamp band | 12,5 | 1,84 |');
  });

  test('a table that goes on has its column names on every page', async () => {
    const passage = await first('What is the mass of Tarsier part 37?');
    expect(passage).toMatchObject({ source: 'table-two-pages.pdf', page: 2 });
    expect(passage?.text).toContain('| Part | Mass kg | Length mm |');
    expect(passage?.text).toContain('| Tarsier part 37 | 55.5 | 370 |');
  });

  test('running heads of odd and even pages are in no passage', async () => {
    const { passages } = await search('Launcher Handbook Part B page thermal control requirements saturation', 100);
    for (const { source, text, heading } of passages) {
      if (source === 'hyphens-oddeven-heads.pdf') expect(`${heading} ${text}`).not.toMatch(/Handbook|Thermal control/);
    }
  });

  test('pages with text are no scans', async () => {
    expect(notices.get('strictdoc-slide62.pdf')).toBeNull();
    expect((await first('Pitfall No WHY'))?.source).toBe('strictdoc-slide62.pdf');
    const cjk = await first('冷却ポンプの定格流量');
    expect(cjk?.text).toContain('冷却ポンプの定格流量は毎分42リットルである。');
    expect(cjk?.text).toContain('整流罩的质量为一百二十千克。');
  });

  test('front matter gives the title, and code no headings', async () => {
    const passage = await first('Install guide introduction');
    expect(passage).toMatchObject({
      source: 'front-matter-code.md',
      title: 'The Real Title',
      heading: 'Install guide',
    });
  });
});

test('a ReqIF file is refused by name', async () => {
  const { path, remove } = unmanagedFolder();
  const file = join(path, 'x.reqif');
  writeFileSync(
    file,
    '<?xml version="1.0"?><REQ-IF xmlns="http://www.omg.org/spec/ReqIF/20110401/reqif.xsd"></REQ-IF>',
  );
  await expect(detectMediaType(file, 'x.reqif')).rejects.toThrow('ReqIF');
  remove();
});

test('the reader of a text says nothing when there is nothing to say', async () => {
  const { path, remove } = unmanagedFolder();
  const file = join(path, 'x.txt');
  writeFileSync(file, 'Größe 3 µm');
  expect((await parseDocument({ path: file, mediaType: 'text/plain' })).notice).toBeNull();
  remove();
});
