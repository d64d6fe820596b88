import type { SetupFacts, Sections } from './setup-facts.ts';

/** A host's own facts (`ansible_local`), which are JSON, or sections of names and values. */
export function parseLocalFacts(sections: Sections, path: string): SetupFacts {
  const result: Record<string, unknown> = {};
  const start = `fact ${path} `;
  for (const [name, text] of sections) {
    if (name.startsWith(start)) result[name.slice(start.length).replace(/\.fact$/, '')] = parseFact(text);
  }
  return result;
}

function parseFact(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return parseIni(text) ?? 'error loading facts as JSON or ini - please check content';
  }
}

function parseIni(text: string): unknown {
  const result: Record<string, Record<string, string>> = {};
  let section: Record<string, string> | undefined;
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const heading = /^\[(.+)\]$/.exec(line);
    const pair = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(line);
    if (heading) section = result[heading[1] ?? ''] ??= {};
    else if (pair && section) section[(pair[1] ?? '').toLowerCase()] = pair[2] ?? '';
    else return undefined;
  }
  return Object.keys(result).length > 0 ? result : undefined;
}
