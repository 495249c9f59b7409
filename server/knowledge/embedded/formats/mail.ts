import PostalMime from 'postal-mime';
import { joinNotices, type ParsedDocument, UnreadableDocument } from '../parsed';
import { parseHtml } from './html';
import { toSections } from './sections';

/** A mail (EML) or a saved web page (MHTML): RFC 5322 and 2557. Attachments are named, not read. */
export async function parseMail(content: Buffer): Promise<ParsedDocument> {
  const mail = await PostalMime.parse(content).catch((error: unknown) => {
    throw new UnreadableDocument('The mail is damaged and cannot be read.', { cause: error });
  });
  const title = mail.subject?.trim().slice(0, 200) || null;
  const body = mail.html ? parseHtml(mail.html) : toSections(mail.text ?? '');
  const people = (list: readonly { name?: string; address?: string }[] | undefined) =>
    (list ?? []).map(({ name, address }) => name || address).join(', ');
  const head = [
    mail.from && `From: ${people([mail.from])}`,
    mail.to && mail.to.length > 0 && `To: ${people(mail.to)}`,
    mail.date && `Date: ${mail.date}`,
    title && `Subject: ${title}`,
  ].filter(Boolean);
  const [first, ...rest] = body.pages;
  const text = [head.join('\n'), first?.text ?? ''].filter((part) => part !== '').join('\n\n');
  // The parts of a saved page are its pictures and styles.
  const attached = mail.attachments
    .filter(({ disposition }) => disposition === 'attachment')
    .map(({ filename }) => filename ?? 'unnamed');
  const notice = attached.length > 0 ? `Attachments were not read: ${attached.slice(0, 10).join(', ')}.` : null;
  return {
    ...body,
    title: title ?? body.title,
    pages: [{ page: 1, heading: first?.heading ?? title, text }, ...rest],
    notice: joinNotices(body.notice, notice),
  };
}
