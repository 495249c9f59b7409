import { type Element, find, findAll, parseXml, resolvePath } from './xml';

/** The targets of an Office relationships file by id, as paths from the archive's root. */
export function relations(files: ReadonlyMap<string, string>, of: string): Map<string, string> {
  const slash = of.lastIndexOf('/');
  const folder = of.slice(0, slash + 1);
  const file = files.get(`${folder}_rels/${of.slice(slash + 1)}.rels`);
  if (!file) return new Map();
  return new Map(
    findAll(parseXml(file), 'Relationship').flatMap(({ attributes }) =>
      // What lies outside the file is never looked at.
      attributes['TargetMode'] === 'External'
        ? []
        : [[attributes['Id'] ?? '', resolvePath(folder, attributes['Target'] ?? '')]],
    ),
  );
}

const DOCUMENT = '/officeDocument';

/** The main part of an Office file: what its relations call so, whatever its name. */
export function mainPart(files: ReadonlyMap<string, string>, usual: string): string {
  const root = files.get('_rels/.rels');
  const relation =
    root && findAll(parseXml(root), 'Relationship').find(({ attributes }) => attributes['Type']?.endsWith(DOCUMENT));
  const target = relation ? resolvePath('', relation.attributes['Target'] ?? '') : usual;
  return files.has(target) ? target : usual;
}

/** `r:id`, whatever the prefix; a plain `id` is another number. */
export function relationId(attributes: Record<string, string>): string {
  return Object.entries(attributes).find(([name]) => name.endsWith(':id'))?.[1] ?? '';
}

/** The title in the file's own properties. */
export function titleOf(files: ReadonlyMap<string, string>): string | null {
  const core = files.get('docProps/core.xml');
  return (core && find(parseXml(core), 'title')?.text.trim().slice(0, 200)) || null;
}

/** A property that is there is on, unless it says otherwise. */
export function isOn(element: Element | undefined): boolean {
  return element !== undefined && !/^(?:0|false|off)$/i.test(element.attributes['w:val'] ?? '');
}
