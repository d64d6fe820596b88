import type { z } from 'zod';

import { listed } from '../../lib/listed.ts';
import type { Origin } from '../../release/record.ts';
import { clock } from '../../report/text.ts';
import type { releasesSchema } from './release-json.ts';

type Shown = z.infer<typeof releasesSchema>;

/** The kept releases, the newest first, and below them what differs on the servers. */
export function releasesText(shown: Shown): string {
  const { current, previous, unfinished, releases } = shown;
  const rows = [...releases].reverse().map((release) => {
    const done = shown.history.findLast((one) => one.release === release.name && one.outcome === 'done');
    const { by, at } = done ?? release;
    return [
      release.name,
      release.name === current ? 'current' : release.name === previous ? 'previous' : '',
      done === undefined
        ? 'not deployed'
        : `${done.kind === 'deploy' ? 'deployed' : 'rolled back to'} ${clock(at)}`,
      `by ${by}`,
      originText(release.from),
      serversOf(shown, release.name),
    ];
  });
  return [
    ...(current === null
      ? ['nothing was deployed: the servers serve what `provision up` puts onto them']
      : table(rows)),
    ...(unfinished === null
      ? []
      : [
          `unfinished: ${unfinished.kind} of ${unfinished.release}, begun ${clock(unfinished.at)} by ${unfinished.by}; ${
            unfinished.kind === 'deploy' ? '`provision deploy --resume` goes on, ' : ''
          }\`provision rollback\` ${unfinished.kind === 'deploy' ? `puts ${current ?? ''} back` : 'goes on'}`,
        ]),
    ...shown.servers.flatMap((server) => serverLines(server, shown)),
    '',
  ].join('\n');
}

function serverLines(
  { name, trouble, current: next, runs }: Shown['servers'][number],
  { current }: Shown,
): string[] {
  if (trouble !== undefined) return [`${name}: does not answer: ${trouble}`];
  if (runs === null) return [`${name}: no app runs${next === null ? '' : `; a start would run ${next}`}`];
  const after = next === runs ? '' : `, and would run ${next ?? 'nothing'} after a restart`;
  if (current === null) return [`${name}: serves ${runs}${after}`];
  return runs === current && after === ''
    ? []
    : [`${name}: serves ${runs}${after}; the current release is ${current}`];
}

function serversOf({ servers }: Shown, release: string): string {
  const on = servers.filter(({ runs }) => runs === release).map(({ name }) => name);
  return on.length === 0 ? '' : `on ${listed(on)}`;
}

function originText(from: Origin): string {
  switch (from.kind) {
    case 'git':
      return `from ${from.ref} (${from.commit.slice(0, 10)})`;
    case 'folder':
      return `from ${from.path}`;
    case 'site':
      return 'came with the playbooks';
  }
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
