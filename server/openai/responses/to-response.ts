import { AppError } from '../../core/errors';
import type { RunEvent } from '../../core/run';
import type { ResponseEvent, ResponseWriter } from './response-writer';

/** The response of a whole run: collected by the same writer that streams. */
export async function toResponse(
  batches: AsyncIterable<readonly RunEvent[]>,
  writer: ResponseWriter,
  facts: { see(events: readonly RunEvent[]): void },
): Promise<object> {
  for await (const events of batches) {
    facts.see(events);
    writer.write(events);
  }
  if (!writer.finished) throw new AppError('stream_truncated', 'The answer ended before it was complete.');
  return writer.response();
}

/** Server-sent events of a streamed response; each has a name and a rising number, and there is no `[DONE]`. */
export class ResponseEncoder {
  private sequence = 0;

  constructor(private readonly writer: ResponseWriter) {}

  encode(events: readonly RunEvent[]): string {
    return this.frames(this.writer.write(events));
  }

  end(): string {
    return this.frames([this.writer.end()]);
  }

  fail(error: AppError): string {
    return this.frames(this.writer.fail(error));
  }

  private frames(events: readonly ResponseEvent[]): string {
    let out = '';
    for (const { type, ...event } of events) {
      out += `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: this.sequence++, ...event })}\n\n`;
    }
    return out;
  }
}
