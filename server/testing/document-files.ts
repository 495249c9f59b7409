import { strToU8, type Zippable, zipSync } from 'fflate';

// Small files of the formats that Ivy reads, for tests that need other content than the fixtures have.

export function zip(files: Record<string, string>): Buffer<ArrayBuffer> {
  const entries = Object.entries(files).map(
    // Formats are told by this file, which therefore is not compressed.
    ([path, text]) => [path, [strToU8(text), { level: path === 'mimetype' ? 0 : 6 }]] as const,
  );
  return Buffer.from(zipSync(Object.fromEntries(entries) as Zippable));
}

export const escapeXml = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

/** A Word document whose main part is this XML. */
export function docx(part: string, more: Record<string, string> = {}): Buffer<ArrayBuffer> {
  return zip({
    '[Content_Types].xml':
      '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
    '_rels/.rels':
      '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
    'word/document.xml': `<?xml version="1.0"?>${part}`,
    ...more,
  });
}

/** The main part of a Word document with these paragraphs and tables. */
export const wordBody = (inner: string) =>
  `<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${inner}</w:body></w:document>`;

export const wordParagraph = (text: string) =>
  `<w:p><w:r><w:t xml:space="preserve">${escapeXml(text)}</w:t></w:r></w:p>`;

/** A workbook with one sheet of these rows in XML, with the prefixes that some programs write. */
export function xlsx(rows: string, { name = 'Data', id = 'rId1' } = {}): Buffer<ArrayBuffer> {
  return zip({
    'xl/workbook.xml': `<x:workbook xmlns:x="a" xmlns:rel="b"><x:sheets><x:sheet name="${name}" sheetId="1" rel:id="${id}"/></x:sheets></x:workbook>`,
    'xl/_rels/workbook.xml.rels': `<Relationships><Relationship Id="${id}" Target="worksheets/sheet1.xml"/></Relationships>`,
    'xl/worksheets/sheet1.xml': `<x:worksheet xmlns:x="a"><x:sheetData>${rows}</x:sheetData></x:worksheet>`,
  });
}

/** A presentation with one slide of one text. */
export function pptx(text: string): Buffer<ArrayBuffer> {
  const drawing = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"';
  return zip({
    'ppt/presentation.xml':
      '<p:presentation xmlns:p="p" xmlns:r="r"><p:sldIdLst><p:sldId id="256" r:id="rId1"/></p:sldIdLst></p:presentation>',
    'ppt/_rels/presentation.xml.rels':
      '<Relationships><Relationship Id="rId1" Target="slides/slide1.xml"/></Relationships>',
    'ppt/slides/slide1.xml': `<p:sld xmlns:p="p" ${drawing}><p:cSld><p:spTree><p:sp><p:txBody><a:p><a:r><a:t>${escapeXml(text)}</a:t></a:r></a:p></p:txBody></p:sp></p:spTree></p:cSld></p:sld>`,
  });
}

/** An OpenDocument text whose body is this XML. */
export function odt(body: string): Buffer<ArrayBuffer> {
  return zip({
    mimetype: 'application/vnd.oasis.opendocument.text',
    'content.xml': `<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"><office:body><office:text>${body}</office:text></office:body></office:document-content>`,
  });
}

/** A book of one chapter of XHTML. */
export function epub(body: string): Buffer<ArrayBuffer> {
  return zip({
    mimetype: 'application/epub+zip',
    'META-INF/container.xml':
      '<container><rootfiles><rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
    'book.opf':
      '<package><metadata/><manifest><item id="c1" href="c1.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="c1"/></spine></package>',
    'c1.xhtml': `<html><body>${body}</body></html>`,
  });
}

/** A PDF of these objects, the first one its catalog; characters are bytes. */
export function pdf(...objects: string[]): Buffer<ArrayBuffer> {
  const body = objects.map((object, index) => `${index + 1} 0 obj\n${object}\nendobj\n`).join('');
  return Buffer.from(
    `%PDF-1.7\n${body}trailer\n<< /Root 1 0 R /Size ${objects.length + 1} >>\n%%EOF\n`,
    'latin1',
  ) as Buffer<ArrayBuffer>;
}

/** A PDF with a page for each content stream, in Helvetica (`/F1`). */
export function pdfOfPages(streams: readonly string[]): Buffer<ArrayBuffer> {
  const page = (n: number) => 4 + 2 * n;
  return pdf(
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [${streams.map((_, n) => `${page(n)} 0 R`).join(' ')}] /Count ${streams.length} >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    ...streams.flatMap((stream, n) => [
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${page(n) + 1} 0 R /Resources << /Font << /F1 3 0 R >> >> >>`,
      `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
    ]),
  );
}

/** A PDF with a page for each of these lines of ASCII text. */
export function pdfOfLines(lines: readonly string[]): Buffer<ArrayBuffer> {
  const kids = lines.map((_, index) => `${2 * index + 4} 0 R`).join(' ');
  return pdf(
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count ${lines.length} /Kids [${kids}] >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    ...lines.flatMap((line, index) => {
      const stream = `BT /F1 10 Tf 50 780 Td (${line.replace(/[\\()]/g, '\\$&')}) Tj ET`;
      const resources = '<< /Font << /F1 3 0 R >> >>';
      return [
        `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ${2 * index + 5} 0 R /Resources ${resources} >>`,
        `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
      ];
    }),
  );
}
