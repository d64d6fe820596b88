import type { HostCounts, RunEvent } from '../../src/run/events.ts';
import type { ReportStream } from '../../src/report/stream.ts';

/** A stream that keeps what is written. */
export function memoryStream(terminal?: {
  columns: number;
  rows: number;
}): ReportStream & { text(): string } {
  const chunks: string[] = [];
  return {
    write(text, done) {
      chunks.push(text);
      done?.();
      return true;
    },
    text: () => chunks.join(''),
    ...(terminal && { isTTY: true, ...terminal }),
  };
}

export function counts(some: Partial<HostCounts> = {}): HostCounts {
  return { ok: 0, changed: 0, skipped: 0, failed: 0, unreachable: 0, rescued: 0, ignored: 0, ...some };
}

export function recap(
  hosts: Readonly<Record<string, Partial<HostCounts>>>,
  interrupted = false,
): Extract<RunEvent, { type: 'recap' }> {
  return {
    type: 'recap',
    hosts: Object.fromEntries(Object.entries(hosts).map(([name, some]) => [name, counts(some)])),
    ms: 1234.5,
    interrupted,
  };
}

export function task(name: string, hosts: readonly string[]): Extract<RunEvent, { type: 'task' }> {
  return {
    type: 'task',
    name,
    role: 'nginx',
    module: 'ansible.builtin.copy',
    handler: false,
    at: { file: 'site.yml', line: 3, column: 5 },
    hosts,
  };
}

export function result(
  host: string,
  status: Extract<RunEvent, { type: 'result' }>['status'],
  more: Partial<Extract<RunEvent, { type: 'result' }>> = {},
): Extract<RunEvent, { type: 'result' }> {
  return { type: 'result', host, task: 'Task', module: 'ansible.builtin.copy', status, ms: 1.6, ...more };
}

/** A run in which every kind of event and every optional part occurs. */
export const EVERYTHING: readonly RunEvent[] = [
  { type: 'play', name: 'Web', hosts: ['web1', 'web2'], batch: { number: 1, of: 2 } },
  task('Write the site', ['web1', 'web2']),
  { type: 'progress', host: 'web1', line: 'Setting up nginx' },
  result('web1', 'changed', {
    item: 'index',
    diff: [{ subject: '/srv/index.html', before: 'old\n', after: 'new hunter22\n' }],
  }),
  result('web2', 'ok'),
  { ...task('Restart', ['web1', 'web2']), handler: true },
  result('web1', 'failed', { message: 'it broke', output: 'one\ntwo\n', ignored: true }),
  result('web2', 'unreachable', { message: 'no route', delegatedTo: 'web1' }),
  { type: 'warning', message: 'beware', at: { file: 'site.yml', line: 9, column: 1 } },
  recap({ web1: { ok: 1, changed: 1, ignored: 1 }, web2: { ok: 1, unreachable: 1 } }, true),
];

export const PLAIN_OPTIONS = {
  check: false,
  diff: true,
  verbose: 0,
  redact: (text: string) => text.replaceAll('hunter22', '[REDACTED]'),
  environment: {},
} as const;
