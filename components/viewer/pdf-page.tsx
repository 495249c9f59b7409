'use client';

import {
  GlobalWorkerOptions,
  getDocument,
  OPS,
  PDFDataRangeTransport,
  type PDFDocumentProxy,
  type RenderTask,
} from 'pdfjs-dist';
import { useEffect, useRef, useState } from 'react';
import type { Box } from '@/server/core/knowledge';
import { isTooMuch } from './drawing';

GlobalWorkerOptions.workerSrc = new URL('pdfjs-dist/build/pdf.worker.min.mjs', import.meta.url).toString();

/** More pixels than this are not seen, but take time and memory. */
const MAX_PIXELS = 4_000_000;
const RESIZED_MS = 150;
/** A page that takes longer is shown as text. */
const MAX_DRAWING_MS = 15_000;

interface Props {
  url: string;
  /** Size of the file. */
  bytes: number;
  page: number;
  /** Marked places, in units of the page from the lower left corner. */
  boxes: readonly Box[];
  onFailure(): void;
}

/** One page of a PDF as it looks, with marked places. Only the parts of the file that it needs are loaded. */
export default function PdfPage({ url, bytes, page, boxes, onFailure }: Props) {
  const document = usePdf(url, bytes, onFailure);
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useWidth(frame);
  const [size, setSize] = useState<{ width: number; height: number }>();
  useEffect(() => {
    if (!document || width === 0) return;
    let task: RenderTask | undefined;
    let left = false;
    const deadline = setTimeout(() => {
      left = true;
      task?.cancel();
      onFailure();
    }, MAX_DRAWING_MS);
    const draw = async () => {
      const shown = await document.getPage(page);
      const whole = shown.getViewport({ scale: 1 });
      if (left || !canvas.current) return;
      // Boxes are in the page's own units, which need not be points.
      setSize({ width: whole.width / shown.userUnit, height: whole.height / shown.userUnit });
      const wanted = (width / whole.width) * window.devicePixelRatio;
      const scale = Math.min(wanted, Math.sqrt(MAX_PIXELS / (whole.width * whole.height)));
      const viewport = shown.getViewport({ scale });
      if (isTooMuch(await shown.getOperatorList(), OPS.constructPath)) throw new Error('This page draws too much.');
      if (left || !canvas.current) return;
      canvas.current.width = Math.floor(viewport.width);
      canvas.current.height = Math.floor(viewport.height);
      task = shown.render({ canvas: canvas.current, viewport });
      await task.promise;
      canvas.current?.setAttribute('data-drawn', String(page));
      clearTimeout(deadline);
    };
    draw().catch((error: unknown) => {
      if (!left && (error as Error).name !== 'RenderingCancelledException') onFailure();
    });
    return () => {
      left = true;
      clearTimeout(deadline);
      task?.cancel();
    };
  }, [document, page, width, onFailure]);
  const marked = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (size && boxes.length > 0) marked.current?.scrollIntoView({ block: 'center' });
  }, [size, boxes]);
  return (
    <div
      ref={frame}
      className="relative w-full border border-rule bg-white"
      style={{ aspectRatio: size ? `${size.width} / ${size.height}` : '210 / 297' }}
    >
      <canvas ref={canvas} role="img" aria-label={`Page ${page} as it looks`} className="absolute inset-0 size-full" />
      {size &&
        boxes.map(([left, bottom, right, top], index) => (
          <div
            key={`${left} ${bottom}`}
            ref={index === 0 ? marked : undefined}
            data-passage
            className="pdf-mark absolute"
            style={{
              left: `${(left / size.width) * 100}%`,
              bottom: `${(bottom / size.height) * 100}%`,
              width: `${((right - left) / size.width) * 100}%`,
              height: `${((top - bottom) / size.height) * 100}%`,
            }}
          />
        ))}
    </div>
  );
}

/** Loads parts of a file as they are needed; the length comes from elsewhere, as Next drops the header for it. */
class Parts extends PDFDataRangeTransport {
  private readonly left = new AbortController();

  constructor(
    private readonly url: string,
    bytes: number,
    private readonly onFailure: () => void,
  ) {
    super(bytes, null);
  }

  override async requestDataRange(begin: number, end: number): Promise<void> {
    const { signal } = this.left;
    try {
      const response = await fetch(this.url, { headers: { range: `bytes=${begin}-${end - 1}` }, signal });
      if (response.status !== 206) throw new Error(`HTTP ${response.status}`);
      const part = new Uint8Array(await response.arrayBuffer());
      if (!signal.aborted) this.onDataRange(begin, part);
    } catch {
      if (!signal.aborted) this.onFailure();
    }
  }

  override abort(): void {
    this.left.abort();
  }
}

function usePdf(url: string, bytes: number, onFailure: () => void): PDFDocumentProxy | undefined {
  const [document, setDocument] = useState<PDFDocumentProxy>();
  useEffect(() => {
    const parts = new Parts(url, bytes, onFailure);
    const loading = getDocument({
      range: parts,
      disableAutoFetch: true,
      disableStream: true,
      // Nothing that a file holds may run.
      isEvalSupported: false,
      enableXfa: false,
      useWasm: false,
    });
    let left = false;
    loading.promise.then(
      (loaded) => !left && setDocument(loaded),
      () => !left && onFailure(),
    );
    return () => {
      left = true;
      setDocument(undefined);
      parts.abort();
      void loading.destroy();
    };
  }, [url, bytes, onFailure]);
  return document;
}

/** The width of an element in CSS pixels, once it has settled. */
function useWidth(element: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!element.current) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const observer = new ResizeObserver(([entry]) => {
      const next = Math.round(entry?.contentRect.width ?? 0);
      clearTimeout(timer);
      timer = setTimeout(() => setWidth(next), width === 0 ? 0 : RESIZED_MS);
    });
    observer.observe(element.current);
    return () => {
      clearTimeout(timer);
      observer.disconnect();
    };
  }, [element, width]);
  return width;
}
