import { groupNumber, type PythonRegex, substitute } from '../../lib/python-regex.ts';
import { own, Tuple, typeFault, typeName, type Data } from '../python/objects.ts';
import { asFault, flag, textRegex } from '../python/regex.ts';
import { text } from '../python/string-methods.ts';
import { str } from '../python/text.ts';
import { filter, type Filters } from './define.ts';

/** Filters that search and replace by regular expressions. */
export const regexFilters: Filters = {
  regex_replace: filter(
    'pattern? replacement? ignorecase? multiline? count? mandatory_count?',
    (value, [pattern = '', by = '', ignoreCase, multiline, count, mandatory]) => {
      const regex = textRegex(text(pattern), {
        ignoreCase: flag(ignoreCase),
        multiline: flag(multiline),
      });
      const most = typeof count === 'number' && count > 0 ? count : Number.POSITIVE_INFINITY;
      const { result, count: done } = asFault(() => substitute(regex, str(value), text(by), most));
      if (typeof mandatory === 'number' && mandatory > 0 && done !== mandatory) {
        throw typeFault(
          `regex_replace: the pattern should match exactly ${mandatory} times, but matched ${done} times`,
        );
      }
      return result;
    },
  ),
  regex_search: filter('regex *groups **kwargs', (value, [pattern], _call, { rest, keywords }) => {
    for (const key of keywords.keys()) {
      if (key !== 'ignorecase' && key !== 'multiline')
        throw typeFault(`regex_search has no argument "${key}"`);
    }
    const regex = textRegex(text(pattern), {
      ignoreCase: flag(keywords.get('ignorecase')),
      multiline: flag(keywords.get('multiline')),
    });
    const groups = rest.map((one) => wantedGroup(one, regex));
    const match = regex.search(str(value));
    if (!match) return null;
    return groups.length === 0 ? match[0] : own(groups.map((group) => match[group] ?? null));
  }),
  regex_findall: filter('regex multiline? ignorecase?', (value, [pattern, multiline, ignoreCase]) => {
    const regex = textRegex(text(pattern), { ignoreCase: flag(ignoreCase), multiline: flag(multiline) });
    return own(
      regex.all(str(value)).map((match): Data => {
        if (regex.groups === 0) return match[0];
        if (regex.groups === 1) return match[1] ?? '';
        return Tuple.containing(match.slice(1).map((one) => one ?? ''));
      }),
    );
  }),
  regex_escape: filter('re_type?', (value, [type = 'python']) => {
    const kind = text(type);
    if (kind === 'python')
      return str(value).replaceAll(/[\t\n\v\f\r !"#$%&'()*+,\-./:;<=>?@[\\\]^`{|}~]/g, escapeOne);
    if (kind === 'posix_basic') return str(value).replaceAll(/[\].[^$*\\]/g, '\\$&');
    throw typeFault(`regex_escape: the type "${kind}" is not supported`);
  }),
};

/** The characters that Python's `re.escape` escapes. */
function escapeOne(character: string): string {
  return '!"%\',/:;<=>@`'.includes(character) ? character : `\\${character}`;
}

function wantedGroup(argument: Data, regex: PythonRegex): number {
  const name = typeof argument === 'string' ? /^\\(?:g<(\S+)>|(\d+))/.exec(argument) : null;
  if (!name)
    throw typeFault(
      `regex_search: the argument ${typeof argument === 'string' ? argument : typeName(argument)} names no group`,
    );
  return asFault(() => groupNumber(name[1] ?? name[2]!, regex));
}
