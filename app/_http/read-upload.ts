import { Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import busboy from 'busboy';
import { AppError } from '@/server/core/errors';

/**
 * Reads a multipart body with one file, handing its content on as it arrives. Fields that matter must come before the
 * file, as form encoders send them when they are appended first. The content ends only when the whole body was found
 * to be right, so that nothing is kept of a request that is refused.
 */
export async function readUpload<T>(
  request: Request,
  take: (name: string, content: AsyncIterable<Uint8Array>, fields: Record<string, string>) => Promise<T>,
): Promise<T> {
  const type = request.headers.get('content-type') ?? '';
  if (!type.toLowerCase().startsWith('multipart/form-data') || !request.body) {
    throw new AppError('unsupported_media_type', 'Send the file as multipart/form-data in the field "file".');
  }
  const body = Readable.fromWeb(request.body as NodeReadableStream);
  const fields: Record<string, string> = {};
  let taken: Promise<T> | undefined;
  let parser: busboy.Busboy | undefined;
  try {
    const reader = busboy({
      headers: { 'content-type': type },
      defParamCharset: 'utf8',
      preservePath: true,
      limits: { files: 3, fields: 10, fieldSize: 1000, parts: 13 },
    });
    parser = reader;
    const read = new Promise<void>((resolve, reject) => {
      const refuse = (message: string, param: string) => reject(new AppError('invalid_request', message, { param }));
      reader.on('field', (name, value) => {
        if (taken && name === 'collection') {
          refuse('The field "collection" must stand before the file. Send it again in that order.', 'collection');
        }
        fields[name] = value;
      });
      reader.on('file', (name, content, info) => {
        if (name !== 'file') return content.resume();
        if (taken) {
          content.resume();
          return refuse('The body holds more than one file. Send each in a request of its own.', 'file');
        }
        taken = take(info.filename ?? '', endingWith(content, read), fields);
        taken.catch(reject);
      });
      reader.on('close', () => resolve());
      reader.on('error', reject);
      body.on('error', reject);
    });
    body.pipe(reader);
    await read;
  } catch (error) {
    body.unpipe();
    // Ends the file's own stream too, which would otherwise wait for more for ever.
    parser?.destroy(error instanceof Error ? error : undefined);
    await taken?.catch(() => {});
    await takeRest(body);
    if (error instanceof AppError) throw error;
    throw new AppError('invalid_request', 'The multipart body is malformed or was cut off.', { cause: error });
  }
  if (!taken) throw new AppError('invalid_request', 'The body holds no file in the field "file".', { param: 'file' });
  return taken;
}

/** The content, which ends when `whole` does, and fails when that fails. */
async function* endingWith(content: AsyncIterable<Uint8Array>, whole: Promise<void>): AsyncIterable<Uint8Array> {
  yield* content;
  await whole;
}

/** What is still taken of a body that was refused. */
const REST_BYTES = 16 * 1024 * 1024;
const REST_MS = 5_000;

/**
 * Takes the rest of a body whose reader gave up: it would otherwise stand before the next request of a kept
 * connection, which would wait until it is cut off. A large rest is left; its connection is closed.
 */
async function takeRest(body: Readable): Promise<void> {
  const late = setTimeout(() => body.destroy(), REST_MS);
  let taken = 0;
  try {
    for await (const chunk of body) {
      taken += (chunk as Uint8Array).length;
      if (taken > REST_BYTES) break;
    }
  } catch {
    // The client has gone, or took too long.
  } finally {
    clearTimeout(late);
  }
}
