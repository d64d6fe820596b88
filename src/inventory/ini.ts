import { codeFrame } from '../lib/code-frame.ts';
import type { Problem, SourceLocation } from '../lib/errors.ts';
import { splitShellWords } from '../lib/shell-words.ts';
import { type InventoryBuilder, setVariable } from './builder.ts';
import { setGroupVariable } from './group-variable.ts';
import { parseHostPattern, RangeProblem } from './host-range.ts';
import { parsePythonLiteral } from './python-literal.ts';

interface PendingReference {
  readonly group: string;
  readonly at: SourceLocation;
  readonly message: string;
}

/** Reads an INI inventory into the builder and returns what is wrong with it. */
export function readIniInventory(
  source: string,
  file: string,
  builder: InventoryBuilder,
): readonly Problem[] {
  const problems: Problem[] = [];
  const declared = new Set<string>();
  const pending: PendingReference[] = [];
  let group = 'ungrouped';
  let state: 'hosts' | 'children' | 'vars' = 'hosts';

  for (const [index, rawLine] of source.split(/\r?\n/).entries()) {
    const line = rawLine.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const at: SourceLocation = {
      file,
      line: index + 1,
      column: rawLine.length - rawLine.trimStart().length + 1,
    };
    const report = (message: string, hint?: string): void => {
      problems.push({
        message,
        location: at,
        frame: codeFrame(source, at),
        ...(hint === undefined ? {} : { hint }),
      });
    };

    const section = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$/.exec(line);
    if (section) {
      const [, name = '', kind = 'hosts'] = section;
      if (kind !== 'hosts' && kind !== 'children' && kind !== 'vars') {
        report(`a section is [${name}], [${name}:children] or [${name}:vars], not [${name}:${kind}]`);
        continue;
      }
      group = name;
      state = kind;
      builder.addGroup(name);
      if (kind === 'vars')
        pending.push({ group: name, at, message: `[${name}:vars] is for a group that is not there` });
      else declared.add(name);
      continue;
    }
    if (line.startsWith('[') && line.endsWith(']')) {
      report('a section name has no spaces in it', 'write [name], [name:children] or [name:vars]');
      continue;
    }
    switch (state) {
      case 'hosts':
        readHosts(line, group, builder, at, report);
        break;
      case 'vars': {
        const equals = line.indexOf('=');
        if (equals < 1) report(`expected key=value below [${group}:vars], found "${line}"`);
        else {
          const problem = setGroupVariable(
            builder.addGroup(group),
            line.slice(0, equals).trim(),
            parsePythonLiteral(line.slice(equals + 1).trim()),
            at,
          );
          if (problem !== undefined) report(problem);
        }
        break;
      }
      case 'children': {
        const child = /^([^:\]\s]+)\s*(?:#.*)?$/.exec(line)?.[1];
        if (child === undefined) {
          report(`expected the name of a group below [${group}:children], found "${line}"`);
        } else if (!builder.addChild(group, child)) {
          report(`the group "${child}" cannot be below "${group}", which is below it`);
        } else {
          pending.push({ group: child, at, message: `there is no group "${child}"` });
        }
        break;
      }
    }
  }
  const known = new Set(['all', 'ungrouped', ...declared]);
  for (const { group: name, at, message } of pending) {
    if (known.has(name) || builder.groups.get(name)?.hosts.length) continue;
    problems.push({
      message,
      location: at,
      frame: codeFrame(source, at),
      hint: `declare it with [${name}] or [${name}:children]`,
    });
  }
  return problems;
}

function readHosts(
  line: string,
  group: string,
  builder: InventoryBuilder,
  at: SourceLocation,
  report: (message: string, hint?: string) => void,
): void {
  const words = splitShellWords(line, { comments: true });
  if ('problem' in words) return report(`${words.problem} in "${line}"`);
  const [pattern = '', ...assignments] = words;
  if (pattern === '---') {
    return report('"---" starts a YAML file, but this is read as INI', 'give the file the extension .yml');
  }
  let hosts: ReturnType<typeof parseHostPattern>;
  try {
    hosts = parseHostPattern(pattern);
  } catch (error) {
    if (!(error instanceof RangeProblem)) throw error;
    return report(error.message);
  }
  if (pattern.endsWith(':')) {
    return report(
      `a host's name does not end with a colon: "${pattern}"`,
      'in a YAML file? Give it the extension .yml',
    );
  }
  for (const name of hosts.names) {
    const host = builder.addHost(name, group);
    if (hosts.port !== undefined) setVariable(host, 'ansible_port', hosts.port, at);
    for (const assignment of assignments) {
      const equals = assignment.indexOf('=');
      if (equals < 1) return report(`expected key=value after the host's name, found "${assignment}"`);
      setVariable(host, assignment.slice(0, equals), parsePythonLiteral(assignment.slice(equals + 1)), at);
    }
  }
}
