import type { Styles } from './docx-styles';
import { isOn } from './office';
import { childOf, type Element, findAll, parseXml } from './xml';

interface Level {
  start: number;
  format: string;
  /** `%1.%2` is the number of this level behind that of the one above. */
  text: string;
  /** The level (from 1) whose next number starts this one again; 0 for none. */
  restart: number | undefined;
  /** True to write the numbers of the levels above as 1, 2, 3. */
  legal: boolean;
  style: string | undefined;
}

interface List {
  abstract: string;
  levels: ReadonlyMap<number, Level>;
  /** Levels that this use of the list starts anew. */
  starts: ReadonlyMap<number, number>;
}

export interface Label {
  /** Empty for a bullet. */
  text: string;
  /** From 0. */
  level: number;
}

const LEVELS = 9;

/** The numbers that Word makes (ECMA-376 17.9): they stand nowhere in the text of a document. */
export class Numbering {
  private readonly lists = new Map<string, List>();
  /** By abstract list: the number each level is at; undefined where it has not begun. */
  private readonly counters = new Map<string, (number | undefined)[]>();
  private readonly begun = new Set<string>();

  constructor(
    file: string | undefined,
    private readonly styles: Styles,
  ) {
    if (!file) return;
    const root = parseXml(file);
    const abstracts = new Map(
      findAll(root, 'abstractNum').map((one) => [one.attributes['w:abstractNumId'] ?? '', one]),
    );
    const byStyle = new Map<string, string>();
    for (const [id, abstract] of abstracts) {
      const link = childOf(abstract, 'styleLink')?.attributes['w:val'];
      if (link) byStyle.set(link, id);
    }
    for (const num of findAll(root, 'num')) {
      const named = childOf(num, 'abstractNumId')?.attributes['w:val'] ?? '';
      const link = childOf(abstracts.get(named), 'numStyleLink')?.attributes['w:val'];
      const abstract = (link && byStyle.get(link)) || named;
      const levels = levelsOf(abstracts.get(abstract));
      const starts = new Map<number, number>();
      for (const override of num.children.filter(({ name }) => name === 'lvlOverride')) {
        const level = Number(override.attributes['w:ilvl'] ?? 0);
        const start = childOf(override, 'startOverride')?.attributes['w:val'];
        if (start !== undefined) starts.set(level, Number(start));
        const own = childOf(override, 'lvl');
        if (own) levels.set(level, levelOf(own));
      }
      this.lists.set(num.attributes['w:numId'] ?? '', { abstract, levels, starts });
    }
  }

  /** The number of the next paragraph; undefined for one without. An empty paragraph takes none. */
  labelOf(paragraph: Element, hasText: boolean): Label | undefined {
    const reference = this.styles.numbering(paragraph);
    const list = reference?.id === undefined ? undefined : this.lists.get(reference.id);
    if (!reference || !list || !hasText) return undefined;
    const level = reference.level ?? this.levelByStyle(paragraph, list);
    const definition = list.levels.get(level);
    if (!definition) return undefined;
    const numbers = this.advance(reference.id ?? '', list, level);
    if (definition.format === 'bullet' || definition.format === 'none') {
      return { text: definition.format === 'bullet' ? '' : definition.text.replace(/%\d/g, '').trim(), level };
    }
    const text = definition.text.replace(/%([1-9])/g, (_whole, digit: string) => {
      const index = Number(digit) - 1;
      const { format, start } = list.levels.get(index) ?? definition;
      return toNumeral(numbers[index] ?? start, definition.legal ? 'decimal' : format);
    });
    return { text: text.trim(), level };
  }

  /** Headings often name the list alone: which level, the list says by style. */
  private levelByStyle(paragraph: Element, { levels }: List): number {
    for (const style of this.styles.chainOf(paragraph)) {
      for (const [level, definition] of levels) if (definition.style === style) return level;
    }
    return 0;
  }

  private advance(id: string, { abstract, levels, starts }: List, level: number): readonly (number | undefined)[] {
    let numbers = this.counters.get(abstract);
    if (!numbers) {
      numbers = new Array<number | undefined>(LEVELS).fill(undefined);
      this.counters.set(abstract, numbers);
    }
    const first = !this.begun.has(`${id} ${level}`);
    this.begun.add(`${id} ${level}`);
    const override = first ? starts.get(level) : undefined;
    const before = numbers[level];
    numbers[level] = override ?? (before === undefined ? (levels.get(level)?.start ?? 1) : before + 1);
    for (let deeper = level + 1; deeper < LEVELS; deeper++) {
      const restart = levels.get(deeper)?.restart;
      // By default every level above starts it again.
      if (restart === undefined || (restart !== 0 && level < restart)) numbers[deeper] = undefined;
    }
    return numbers;
  }
}

function levelsOf(abstract: Element | undefined): Map<number, Level> {
  const levels = abstract?.children.filter(({ name }) => name === 'lvl') ?? [];
  return new Map(levels.map((level) => [Number(level.attributes['w:ilvl'] ?? 0), levelOf(level)]));
}

function levelOf(level: Element): Level {
  const value = (name: string) => childOf(level, name)?.attributes['w:val'];
  const restart = value('lvlRestart');
  return {
    start: Number(value('start') ?? 1),
    format: value('numFmt') ?? 'decimal',
    text: value('lvlText') ?? '',
    restart: restart === undefined ? undefined : Number(restart),
    legal: isOn(childOf(level, 'isLgl')),
    style: value('pStyle'),
  };
}

const ROMAN: readonly [number, string][] = [
  [1000, 'm'],
  [900, 'cm'],
  [500, 'd'],
  [400, 'cd'],
  [100, 'c'],
  [90, 'xc'],
  [50, 'l'],
  [40, 'xl'],
  [10, 'x'],
  [9, 'ix'],
  [5, 'v'],
  [4, 'iv'],
  [1, 'i'],
];

function toNumeral(value: number, format: string): string {
  switch (format) {
    case 'lowerLetter':
      return letters(value);
    case 'upperLetter':
      return letters(value).toUpperCase();
    case 'lowerRoman':
      return roman(value);
    case 'upperRoman':
      return roman(value).toUpperCase();
    case 'decimalZero':
      return String(value).padStart(2, '0');
    case 'none':
      return '';
    default:
      return String(value);
  }
}

/** a, b, … z, aa, bb, … */
function letters(value: number): string {
  if (value < 1) return String(value);
  return String.fromCharCode(97 + ((value - 1) % 26)).repeat(Math.min(20, Math.floor((value - 1) / 26) + 1));
}

function roman(value: number): string {
  if (value < 1 || value > 3999) return String(value);
  let rest = value;
  let text = '';
  for (const [worth, sign] of ROMAN) {
    for (; rest >= worth; rest -= worth) text += sign;
  }
  return text;
}
