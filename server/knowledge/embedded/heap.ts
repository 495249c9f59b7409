/** True when the first of two is worse than the second. */
type Worse = (a: number, b: number) => boolean;

/** Adds a value to a heap whose root is the worst. */
export function pushHeap(heap: number[], value: number, worse: Worse): void {
  let index = heap.length;
  heap.push(value);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (!worse(value, heap[parent] as number)) break;
    heap[index] = heap[parent] as number;
    index = parent;
  }
  heap[index] = value;
}

/** Puts a value in the place of the worst. */
export function replaceRoot(heap: number[], value: number, worse: Worse): void {
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && worse(heap[child + 1] as number, heap[child] as number)) child += 1;
    if (!worse(heap[child] as number, value)) break;
    heap[index] = heap[child] as number;
    index = child;
  }
  heap[index] = value;
}
