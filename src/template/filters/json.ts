import { Float } from '../../lib/value.ts';
import { integer } from '../python/arithmetic.ts';
import { own, typeFault, type Data } from '../python/objects.ts';

const TOKEN =
  /\s*(?:([{}[\],:])|"((?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*)"|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null|NaN|-?Infinity))/y;
const WORDS: Readonly<Record<string, Data>> = {
  true: true,
  false: false,
  null: null,
  NaN: new Float(Number.NaN),
  Infinity: new Float(Number.POSITIVE_INFINITY),
  '-Infinity': new Float(Number.NEGATIVE_INFINITY),
};

/** Reads JSON as Python does: keys keep their order, and 1.0 stays a float. */
export function parseJson(source: string): Data {
  let at = 0;
  const fail = (what: string): never => {
    const lines = source.slice(0, at).split('\n');
    throw typeFault(
      `from_json: ${what} at line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1} of the text`,
    );
  };
  const next = (): RegExpExecArray => {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(source);
    if (!token) return fail('expected a value');
    at = TOKEN.lastIndex;
    return token;
  };
  const value = (token: RegExpExecArray): Data => {
    const [, mark, string, number, word] = token;
    if (string !== undefined) return JSON.parse(`"${string}"`) as string;
    if (number !== undefined)
      return /[.eE]/.test(number) ? new Float(Number(number)) : integer(BigInt(number));
    if (word !== undefined) return WORDS[word]!;
    if (mark === '[') return list();
    if (mark === '{') return dictionary();
    return fail(`unexpected "${mark}"`);
  };
  const list = (): Data => {
    const items: Data[] = [];
    let token = next();
    if (token[1] === ']') return own(items);
    for (;;) {
      items.push(value(token));
      const after = next()[1];
      if (after === ']') return own(items);
      if (after !== ',') fail('expected "," or "]"');
      token = next();
    }
  };
  const dictionary = (): Data => {
    const dict = new Map<Data, Data>();
    let token = next();
    if (token[1] === '}') return own(dict);
    for (;;) {
      if (token[2] === undefined) fail('expected a key in quotes');
      if (next()[1] !== ':') fail('expected ":"');
      dict.set(value(token), value(next()));
      const after = next()[1];
      if (after === '}') return own(dict);
      if (after !== ',') fail('expected "," or "}"');
      token = next();
    }
  };
  const result = value(next());
  if (source.slice(at).trim() !== '') fail('unexpected text');
  return result;
}
