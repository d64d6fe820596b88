import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

import { type SourceLocation, UserError } from '../lib/errors.ts';
import { userEnvironment } from '../lib/system-path.ts';
import { matchesPatterns } from './known-hosts.ts';

/*
 * ssh_config(5), read as OpenSSH reads it: the first value of an option wins, sections begin with Host or Match, and
 * Include stands anywhere.
 */

/** As OpenSSH's own limit. */
const DEEPEST = 16;

/** What the configuration says of one host: each option's words, by its name in lower case, the first one first. */
export type SshConfig = ReadonlyMap<string, ConfigValue>;

export interface ConfigValue {
  readonly words: readonly string[];
  readonly location?: SourceLocation | undefined;
}

export interface ConfigSubject {
  /** As the inventory gives it. */
  readonly host: string;
  /** When they are known already. */
  readonly user: string | undefined;
  readonly port: number | undefined;
  readonly home: string;
  /** What the command line says: it goes before the files, and Match sees it. */
  readonly given: SshConfig;
}

/** Options that count as often as they are written. */
const REPEATED = new Set(['identityfile', 'certificatefile', 'localforward', 'remoteforward', 'sendenv']);
/** Options whose value is a command line, taken as it is written. */
const COMMANDS = new Set(['proxycommand', 'localcommand', 'knownhostscommand', 'remotecommand']);

/** Evaluates the files, the first one's word before the others'. One that does not exist says nothing. */
export function readSshConfig(files: readonly string[], subject: ConfigSubject): SshConfig {
  const reader = new Reader(subject);
  const readAll = () => {
    for (const file of files) reader.read(file, { active: true, never: false }, 0);
  };
  readAll();
  if (reader.wantsFinalPass) {
    reader.beginFinalPass();
    readAll();
  }
  return reader.values;
}

/** The name and the words of one line, or of one `-o NAME=VALUE`; undefined for a comment or an empty line. */
export function parseOption(line: string): { readonly name: string; readonly words: string[] } | undefined {
  const match = /^\s*(?:"([^"]*)"|([^\s="#]+))(?:\s*=\s*|\s+|$)(.*?)\s*$/.exec(line);
  const written = match?.[1] ?? match?.[2];
  if (match === null || written === undefined) return undefined;
  const name = written.toLowerCase();
  const rest = match[3] ?? '';
  return { name, words: COMMANDS.has(name) ? [rest] : wordsOf(rest) };
}

/** Words are apart by blanks, quoted to hold blanks; a `#` begins a comment. */
function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const [word] of text.matchAll(/#.*$|(?:[^\s"'\\]|\\.|\\$|"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)+/g)) {
    if (word.startsWith('#')) break;
    words.push(word.replaceAll(/\\(["'\\ ])|["']/g, (_, escaped: string | undefined) => escaped ?? ''));
  }
  return words;
}

/** Whether the lines that follow count; below a section that does not, nothing ever does. */
interface Section {
  active: boolean;
  readonly never: boolean;
}

class Reader {
  readonly #subject: ConfigSubject;
  readonly #values: Map<string, ConfigValue>;
  /** What Host is compared with: in the final pass the name that was found in the first. */
  #host: string;
  #isFinal = false;
  #wantsFinal = false;

  constructor(subject: ConfigSubject) {
    this.#subject = subject;
    this.#host = subject.host;
    this.#values = new Map(subject.given);
  }

  get values(): SshConfig {
    return this.#values;
  }

  /** `Match final` was seen: the files are read a second time, and what the first time said stays. */
  get wantsFinalPass(): boolean {
    return this.#wantsFinal;
  }

  /** By then the host's name is settled. */
  beginFinalPass(): void {
    this.#isFinal = true;
    this.#host = this.#hostname().toLowerCase();
    this.#values.set('hostname', { words: [this.#host] });
  }

  read(file: string, section: Section, depth: number): void {
    if (depth > DEEPEST) throw new UserError(`${file}: Include leads too deep; does it include itself?`);
    const text = textOf(file);
    if (text === undefined) return;
    for (const [index, line] of text.split('\n').entries()) {
      const option = parseOption(line);
      if (option === undefined) continue;
      const location = { file, line: index + 1, column: line.search(/\S/) + 1 };
      const { name, words } = option;
      switch (name) {
        case 'host':
          section.active = !section.never && matchesPatterns(words, this.#host);
          break;
        case 'match':
          section.active = this.#matches(words, location, section.never) && !section.never;
          break;
        case 'include':
          for (const included of this.#included(words, file)) {
            // What follows belongs to no section of the included file.
            this.read(
              included,
              { active: section.active, never: section.never || !section.active },
              depth + 1,
            );
          }
          break;
        default:
          if (section.active) this.#set(name, words, location);
      }
    }
  }

  #set(name: string, words: readonly string[], location: SourceLocation): void {
    if (words.length === 0 || (words.length === 1 && words[0] === '')) {
      throw new UserError({ message: `the option ${name} has no value`, location });
    }
    const before = this.#values.get(name);
    if (before === undefined) this.#values.set(name, { words, location });
    else if (REPEATED.has(name)) {
      const further = words.filter((word) => !before.words.includes(word));
      this.#values.set(name, { ...before, words: [...before.words, ...further] });
    }
  }

  #matches(words: readonly string[], location: SourceLocation, never: boolean): boolean {
    if (words.length === 0) throw new UserError({ message: 'Match has no criterion', location });
    let matches = true;
    for (let index = 0; index < words.length; index++) {
      // Newer releases take `host=web1` too.
      const [, word = '', attached] = /^([^=]*)(?:=(.*))?$/s.exec(words[index] ?? '') ?? [];
      const written = word.toLowerCase();
      const negated = written.startsWith('!');
      const criterion = negated ? written.slice(1) : written;
      if (criterion === 'all') {
        matches &&= !negated;
        continue;
      }
      if (criterion === 'final' || criterion === 'canonical') {
        if (criterion === 'final') this.#wantsFinal = true;
        matches &&= this.#isFinal !== negated;
        continue;
      }
      const wanted = attached ?? words[++index];
      const is = this.#holds(criterion, wanted, location, never || !matches);
      matches &&= is !== negated;
    }
    return matches;
  }

  /** A criterion that is not understood would match never or always: it is refused. */
  #holds(criterion: string, wanted: string | undefined, location: SourceLocation, skip: boolean): boolean {
    // Names of hosts are of any case there, unlike after Host.
    const known: Readonly<Record<string, string>> = {
      host: this.#hostname().toLowerCase(),
      originalhost: this.#subject.host.toLowerCase(),
      user: this.#user(),
      localuser: localuser(),
    };
    if (criterion !== 'exec' && !Object.hasOwn(known, criterion)) {
      throw new UserError({
        message: `Match ${criterion} is not supported; expected all, final, exec, ${Object.keys(known).join(', ')}`,
        location,
        hint: 'say it with Host, or name another file with ansible_ssh_common_args: -F FILE',
      });
    }
    if (wanted === undefined) throw new UserError({ message: `Match ${criterion} has no value`, location });
    if (skip) return false;
    if (criterion === 'exec') return this.#succeeds(wanted, location);
    const patterns = criterion.endsWith('host') ? wanted.toLowerCase() : wanted;
    return matchesPatterns(patterns.split(','), known[criterion] ?? '');
  }

  /** The command is the user's own, in the user's own file: ssh runs it likewise, each time it reads the file. */
  #succeeds(command: string, location: SourceLocation): boolean {
    const tokens = new Map([
      ['%', '%'],
      ['h', this.#hostname()],
      ['n', this.#subject.host],
      ['p', String(this.#subject.port ?? this.#values.get('port')?.words[0] ?? 22)],
      ['r', this.#user()],
      ['u', localuser()],
      ['d', this.#subject.home],
    ]);
    const expanded = command.replaceAll(/%(.)/g, (token, name: string) => {
      const value = tokens.get(name);
      if (value !== undefined) return value;
      throw new UserError({ message: `Match exec uses ${token}, which is not supported`, location });
    });
    const shell = process.env['SHELL'] || '/bin/sh';
    return spawnSync(shell, ['-c', expanded], { stdio: 'ignore', env: userEnvironment() }).status === 0;
  }

  #hostname(): string {
    const { host } = this.#subject;
    return this.#values.get('hostname')?.words[0]?.replaceAll('%h', host) ?? host;
  }

  #user(): string {
    return this.#subject.user ?? this.#values.get('user')?.words[0] ?? localuser();
  }

  /** Files that do not exist include nothing, as with OpenSSH. */
  #included(patterns: readonly string[], from: string): string[] {
    const { home } = this.#subject;
    const base = from.startsWith('/etc/ssh/') ? dirname(from) : join(home, '.ssh');
    return patterns.flatMap((pattern) => {
      const path = pattern.startsWith('~/') ? join(home, pattern.slice(2)) : pattern;
      return globSync(isAbsolute(path) ? path : join(base, path)).toSorted();
    });
  }
}

function localuser(): string {
  return userInfo().username;
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A directory among the included files says nothing, as with OpenSSH.
    if (code === 'ENOENT' || code === 'EISDIR') return undefined;
    throw new UserError(`the ssh configuration ${file} cannot be read (${code})`, { cause: error });
  }
}
