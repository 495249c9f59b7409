import { type Element, find } from './xml';

/** A formula of Word (OMML, ECMA-376 22.1) on one line: `k=3EI/L`, `x^2`, `√(a+b)`. */
export function readMath(element: Element): string {
  return element.children.map(readPart).join('');
}

function readPart(element: Element): string {
  const part = (name: string) => {
    const child = element.children.find((candidate) => candidate.name === name);
    return child ? readMath(child) : '';
  };
  switch (element.name) {
    case 'r':
      return element.children.map(({ name, text }) => (name === 't' ? text : '')).join('');
    case 't':
      return element.text;
    case 'f':
      return `${grouped(part('num'))}/${grouped(part('den'))}`;
    case 'sSup':
      return `${grouped(part('e'))}^${grouped(part('sup'))}`;
    case 'sSub':
      return `${part('e')}_${grouped(part('sub'))}`;
    case 'sSubSup':
      return `${part('e')}_${grouped(part('sub'))}^${grouped(part('sup'))}`;
    case 'sPre':
      return `_${grouped(part('sub'))}^${grouped(part('sup'))}${part('e')}`;
    case 'rad': {
      const degree = part('deg');
      return `${degree === '' ? '' : degree}√(${part('e')})`;
    }
    case 'nary': {
      const sign = find(element, 'chr')?.attributes['m:val'] ?? '∫';
      const [low, high] = [part('sub'), part('sup')];
      return `${sign}${low === '' ? '' : `_${grouped(low)}`}${high === '' ? '' : `^${grouped(high)}`} ${part('e')}`;
    }
    case 'd': {
      const begin = find(element, 'begChr')?.attributes['m:val'] ?? '(';
      const end = find(element, 'endChr')?.attributes['m:val'] ?? ')';
      const parts = element.children.filter(({ name }) => name === 'e').map(readMath);
      return `${begin}${parts.join('|')}${end}`;
    }
    case 'func':
      return `${part('fName')}(${part('e')})`;
    case 'limLow':
      return `${part('e')}_${grouped(part('lim'))}`;
    case 'limUpp':
      return `${part('e')}^${grouped(part('lim'))}`;
    case 'm':
      return `[${element.children
        .filter(({ name }) => name === 'mr')
        .map((row) =>
          row.children
            .filter(({ name }) => name === 'e')
            .map(readMath)
            .join(', '),
        )
        .join('; ')}]`;
    case 'eqArr':
      return element.children
        .filter(({ name }) => name === 'e')
        .map(readMath)
        .join('; ');
    default:
      return element.name.endsWith('Pr') ? '' : readMath(element);
  }
}

/** In brackets when it is more than one factor would be without. */
const grouped = (text: string) => (/^[\p{L}\p{N}.,'′]*$/u.test(text) ? text : `(${text})`);
