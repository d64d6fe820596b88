import { LineCounter, parseAllDocuments, visit } from 'yaml';

import type { Documents } from './yaml-indent.ts';

/** Parses every document of a text, all scalars as text. */
export function parseAll(text: string, lineCounter: LineCounter): Documents {
  const documents = parseAllDocuments(text, {
    schema: 'failsafe',
    version: '1.1',
    lineCounter,
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'silent',
  });
  return 'empty' in documents ? [] : documents;
}

/**
 * PyYAML lets the further lines of a quoted text start with tabs, where they mean as little as spaces do. The library
 * does not, so there they are replaced by as many spaces; a tab anywhere else stays the error that it is.
 */
export function parseWithTabs(text: string, original: Documents): Documents {
  let patched = text;
  const replaced: number[] = [];
  let documents = original;
  for (;;) {
    const tabs = documents.flatMap((document) =>
      document.errors.filter((error) => error.code === 'TAB_AS_INDENT').map((error) => error.pos[0]),
    );
    if (tabs.length === 0) break;
    for (const offset of tabs) {
      const start = patched.lastIndexOf('\n', offset - 1) + 1;
      const indentation = /^[ \t]*/.exec(patched.slice(start))?.[0] ?? '';
      if (!indentation.includes('\t')) return original;
      patched =
        patched.slice(0, start) + ' '.repeat(indentation.length) + patched.slice(start + indentation.length);
      replaced.push(start);
    }
    documents = parseAll(patched, new LineCounter());
  }
  if (replaced.length === 0) return original;
  const quoted: (readonly [number, number])[] = [];
  for (const document of documents) {
    visit(document, {
      Scalar(_, node) {
        if (node.range && node.type?.startsWith('QUOTE_')) quoted.push([node.range[0], node.range[1]]);
      },
    });
  }
  return replaced.every((offset) => quoted.some(([from, to]) => from < offset && offset < to))
    ? documents
    : original;
}
