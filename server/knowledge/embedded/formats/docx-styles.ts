import { childOf, type Element, findAll, parseXml } from './xml';

/** A number that Word makes, as a paragraph or a style asks for it. */
export interface NumberingReference {
  /** `0` takes the number away. */
  id: string | undefined;
  level: number | undefined;
}

interface Style {
  title: boolean;
  basedOn: string | undefined;
  /** From 1. */
  headingLevel: number | undefined;
  numbering: NumberingReference | undefined;
}

const MAX_DEPTH = 20;

/** The paragraph styles of a document. */
export class Styles {
  private readonly styles = new Map<string, Style>();

  constructor(file: string | undefined) {
    if (!file) return;
    for (const style of findAll(parseXml(file), 'style')) {
      const properties = childOf(style, 'pPr');
      // The built-in names are English in every language of Word.
      const name = childOf(style, 'name')?.attributes['w:val'] ?? '';
      const named = /^heading (\d)$/i.exec(name)?.[1];
      this.styles.set(style.attributes['w:styleId'] ?? '', {
        basedOn: childOf(style, 'basedOn')?.attributes['w:val'],
        title: /^title$/i.test(name),
        headingLevel: named ? Number(named) : (outlineLevel(properties) ?? (/^title$/i.test(name) ? 1 : undefined)),
        numbering: numberingOf(properties),
      });
    }
  }

  /** 1 for the highest; undefined for a paragraph that is no heading. */
  headingLevel(paragraph: Element): number | undefined {
    const properties = childOf(paragraph, 'pPr');
    return outlineLevel(properties) ?? this.first(styleOf(properties), ({ headingLevel }) => headingLevel);
  }

  isTitle(paragraph: Element): boolean {
    return this.first(styleOf(childOf(paragraph, 'pPr')), ({ title }) => title || undefined) ?? false;
  }

  /** What a paragraph's own properties say of its number, then its style's. */
  numbering(paragraph: Element): NumberingReference | undefined {
    const properties = childOf(paragraph, 'pPr');
    const own = numberingOf(properties);
    const style = this.first(styleOf(properties), ({ numbering }) => numbering);
    if (!own) return style;
    return { id: own.id ?? style?.id, level: own.level ?? style?.level };
  }

  /** The style of a paragraph and those it is based on, the nearest first. */
  chainOf(paragraph: Element): string[] {
    const chain: string[] = [];
    let id = styleOf(childOf(paragraph, 'pPr'));
    while (id !== undefined && chain.length < MAX_DEPTH) {
      chain.push(id);
      id = this.styles.get(id)?.basedOn;
    }
    return chain;
  }

  private first<T>(id: string | undefined, value: (style: Style) => T | undefined): T | undefined {
    for (let depth = 0; id !== undefined && depth < MAX_DEPTH; depth++) {
      const style = this.styles.get(id);
      if (!style) return undefined;
      const found = value(style);
      if (found !== undefined) return found;
      id = style.basedOn;
    }
    return undefined;
  }
}

const styleOf = (properties: Element | undefined) => childOf(properties, 'pStyle')?.attributes['w:val'];

/** Nine is body text. */
function outlineLevel(properties: Element | undefined): number | undefined {
  const value = childOf(properties, 'outlineLvl')?.attributes['w:val'];
  const level = value === undefined ? Number.NaN : Number(value);
  return level >= 0 && level < 9 ? level + 1 : undefined;
}

function numberingOf(properties: Element | undefined): NumberingReference | undefined {
  const element = childOf(properties, 'numPr');
  if (!element) return undefined;
  const level = childOf(element, 'ilvl')?.attributes['w:val'];
  return { id: childOf(element, 'numId')?.attributes['w:val'], level: level === undefined ? undefined : Number(level) };
}
