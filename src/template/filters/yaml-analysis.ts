/** Which styles a scalar may be written in. */
export interface Analysis {
  readonly empty: boolean;
  readonly multiline: boolean;
  readonly allowFlowPlain: boolean;
  readonly allowBlockPlain: boolean;
  readonly allowSingleQuoted: boolean;
}

const BREAKS = '\n\x85\u2028\u2029';
const SPACE_OR_BREAK = `\0 \t\r${BREAKS}`;

export function isBreak(character: string): boolean {
  return BREAKS.includes(character);
}

/** Looks at a scalar as PyYAML does, to tell which styles would be read back as the same text. */
export function analyse(scalar: string): Analysis {
  if (scalar === '') {
    return {
      empty: true,
      multiline: false,
      allowFlowPlain: false,
      allowBlockPlain: true,
      allowSingleQuoted: true,
    };
  }
  const characters = [...scalar];
  let blockIndicators = scalar.startsWith('---') || scalar.startsWith('...');
  let flowIndicators = blockIndicators;
  let multiline = false;
  let special = false;
  let spaceThenBreak = false;
  let breakThenSpace = false;
  for (const [index, one] of characters.entries()) {
    const before = index === 0 ? ' ' : characters[index - 1]!;
    const after = characters[index + 1];
    const beforeSpace = after === undefined || SPACE_OR_BREAK.includes(after);
    if (index === 0) {
      if ('#,[]{}&*!|>\'"%@`'.includes(one)) blockIndicators = flowIndicators = true;
      else if ('?:'.includes(one)) {
        flowIndicators = true;
        blockIndicators ||= beforeSpace;
      } else if (one === '-' && beforeSpace) blockIndicators = flowIndicators = true;
    } else {
      if (',?[]{}'.includes(one)) flowIndicators = true;
      if (one === ':') {
        flowIndicators = true;
        blockIndicators ||= beforeSpace;
      }
      if (one === '#' && SPACE_OR_BREAK.includes(before)) blockIndicators = flowIndicators = true;
      if (one === ' ' && isBreak(before)) breakThenSpace = true;
      if (isBreak(one) && before === ' ') spaceThenBreak = true;
    }
    if (isBreak(one)) multiline = true;
    if (!isPrintable(one)) special = true;
  }
  const edges = [characters[0]!, characters.at(-1)!];
  const plain =
    !edges.some((one) => one === ' ' || isBreak(one)) &&
    !breakThenSpace &&
    !spaceThenBreak &&
    !special &&
    !multiline;
  return {
    empty: false,
    multiline,
    allowFlowPlain: plain && !flowIndicators,
    allowBlockPlain: plain && !blockIndicators,
    allowSingleQuoted: !breakThenSpace && !spaceThenBreak && !special,
  };
}

function isPrintable(character: string): boolean {
  const code = character.codePointAt(0)!;
  if (code === 0x0a || (code >= 0x20 && code <= 0x7e) || code === 0x85) return true;
  if (code === 0xfeff) return false;
  // libyaml, which writes for Ansible, escapes whatever is beyond U+FFFF.
  return (code >= 0xa0 && code <= 0xd7ff) || (code >= 0xe000 && code <= 0xfffd);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '0',
  '\x07': 'a',
  '\b': 'b',
  '\t': 't',
  '\n': 'n',
  '\v': 'v',
  '\f': 'f',
  '\r': 'r',
  '\x1b': 'e',
  '"': '"',
  '\\': '\\',
  '\x85': 'N',
  '\xa0': '_',
  '\u2028': 'L',
  '\u2029': 'P',
};

/** How a double-quoted scalar escapes a character, or undefined if it stays as it is. */
export function doubleQuotedCharacter(character: string): string | undefined {
  const code = character.codePointAt(0)!;
  const isSafe =
    (code >= 0x20 && code <= 0x7e) || (code >= 0xa0 && code <= 0xd7ff) || (code >= 0xe000 && code <= 0xfffd);
  if (isSafe && !'"\\\x85\u2028\u2029\ufeff'.includes(character)) return undefined;
  const named = ESCAPES[character];
  if (named !== undefined) return `\\${named}`;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
