import { isMapping, typeFault, typeName, Undefined, type Data } from '../python/objects.ts';
import { iterate } from '../python/access.ts';
import { truth } from '../python/compare.ts';
import { repr, str } from '../python/text.ts';
import { filter, type Filters } from './define.ts';
import { escapeHtml } from './text.ts';

/** Jinja's filters for web pages. Nothing is escaped by itself, as in Ansible. */
export const webFilters: Filters = {
  // On one line whatever its length: what Ansible hands over is no plain list or dictionary for pprint.
  pprint: filter('', (value) => repr(value)),
  striptags: filter('', (value) => stripTags(str(value))),
  urlize: filter(
    'trim_url_limit? nofollow? target? rel? extra_schemes?',
    (value, [limit = null, nofollow = false, target = null, rel = null, schemes = null]) => {
      const relations = new Set([
        ...(rel === null ? [] : words(str(rel))),
        ...(truth(nofollow) ? ['nofollow'] : []),
      ]);
      const attributes = [
        ['rel', [...relations.add('noopener')].sort().join(' ')],
        ...(target === null ? [] : [['target', str(target)]]),
      ].map(([name = '', text = '']) => ` ${name}="${escapeHtml(text)}"`);
      return linked(str(value), {
        limit: limit === null ? undefined : Number(limit),
        attributes: attributes.join(''),
        schemes: schemes === null ? [] : iterate(schemes).map(scheme),
      });
    },
  ),
  xmlattr: filter('autospace?', (value, [autospace = true]) => {
    if (!isMapping(value)) throw typeFault(`xmlattr needs a dictionary, not ${typeName(value)}`);
    const attributes = [...value].flatMap(([key, item]) => {
      if (item === null || item instanceof Undefined) return [];
      const name = str(key);
      if (/[\s/>=]/.test(name)) throw typeFault(`Invalid character in attribute name: ${repr(name)}`);
      return [`${escapeHtml(name)}="${escapeHtml(str(item))}"`];
    });
    const text = attributes.join(' ');
    return truth(autospace) && text !== '' ? ` ${text}` : text;
  }),
};

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

function scheme(value: Data): string {
  const text = str(value);
  if (/^[\w.+-]{2,}:(?:\/){0,2}$/.test(text)) return text;
  throw typeFault(`${repr(text)} is not a valid URI scheme prefix.`);
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00A0',
  copy: '©',
  raquo: '»',
  laquo: '«',
  hellip: '…',
  ndash: '–',
  mdash: '—',
};

function stripTags(text: string): string {
  const bare = text.replaceAll(/<!--[^]*?-->/g, '').replaceAll(/<[^]*?>/g, '');
  return words(bare)
    .join(' ')
    .replaceAll(
      /&(?:#(\d+)|#[xX]([\da-fA-F]+)|(\w+));/g,
      (whole, decimal?: string, hex?: string, name?: string) => {
        if (name !== undefined) return Object.hasOwn(ENTITIES, name) ? ENTITIES[name]! : whole;
        return String.fromCodePoint(Number.parseInt(decimal ?? hex ?? '', decimal === undefined ? 16 : 10));
      },
    );
}

interface Links {
  readonly limit: number | undefined;
  readonly attributes: string;
  readonly schemes: readonly string[];
}

const ADDRESS =
  /^(?:(https?:\/\/|www\.)(([\w%-]+\.)+)?([a-z]{2,63}|xn--[\w%]{2,59})|([\w%-]{2,63}\.)+(com|net|int|edu|gov|org|info|mil)|(https?:\/\/)((([\d]{1,3})(\.[\d]{1,3}){3})|(\[([\da-f]{0,4}:){2}([\da-f]{0,4}:?){1,6}\])))(?::[\d]{1,5})?(?:[/?#]\S*)?$/i;
const MAIL = /^\S+@\w[\w.-]*\.\w+$/;
const BRACKETS = [
  ['(', ')'],
  ['<', '>'],
  ['&lt;', '&gt;'],
] as const;

/** Text with its addresses as links, by the rules of Jinja's `urlize`. */
function linked(text: string, links: Links): string {
  return escapeHtml(text)
    .split(/(\s+)/)
    .map((word) => linkedWord(word, links))
    .join('');
}

function linkedWord(word: string, { limit, attributes, schemes }: Links): string {
  const head = /^(?:[(<]|&lt;)+/.exec(word)?.[0] ?? '';
  let middle = word.slice(head.length);
  let tail = /(?:[)>.,\n]|&gt;)+$/.exec(middle)?.[0] ?? '';
  middle = middle.slice(0, middle.length - tail.length);
  for (const [open, close] of BRACKETS) {
    const opened = occurrences(middle, open);
    if (opened <= occurrences(middle, close)) continue;
    for (let left = Math.min(opened, occurrences(tail, close)); left > 0; left--) {
      const end = tail.indexOf(close) + close.length;
      middle += tail.slice(0, end);
      tail = tail.slice(end);
    }
  }
  const shown = limit !== undefined && middle.length > limit ? `${middle.slice(0, limit)}...` : middle;
  const link = (target: string, label: string, more: string): string =>
    `${head}<a href="${target}"${more}>${label}</a>${tail}`;
  if (ADDRESS.test(middle)) {
    return link(/^https?:\/\//.test(middle) ? middle : `https://${middle}`, shown, attributes);
  }
  if (middle.startsWith('mailto:') && MAIL.test(middle.slice(7))) return link(middle, middle.slice(7), '');
  if (!middle.startsWith('www.') && !middle.includes(':') && MAIL.test(middle))
    return link(`mailto:${middle}`, middle, '');
  return schemes.some((one) => middle !== one && middle.startsWith(one))
    ? link(middle, middle, attributes)
    : word;
}

function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
}
