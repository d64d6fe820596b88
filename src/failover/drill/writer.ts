import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { UserError } from '../../lib/errors.ts';
import { quote } from '../../lib/shell.ts';
import { type Ground, type Running, type Site, specOf } from './ground.ts';
import { client, primaryName, sql } from './look.ts';
import { tally, type Write, type WriteLine, writeOf, type WriteTally } from './write.ts';
import type { WriterConfig } from './writer-config.ts';

/** The rows of a drill: who accepted each is in it. */
export const TABLE = 'understudy_drill';

const BUNDLE = new URL('../../../files/drill/dist/writer.mjs', import.meta.url);
/** Its host may be busy, or have just booted. */
const FIRST_WRITE_MS = 120_000;
/** Each writer of a drill has so many ids for itself. */
const IDS = 100_000_000;

/** Where a writer runs, and how it writes. */
export interface WriterOptions {
  /** A host with Node.js that may reach the balancers' writer endpoints; for HTTP one that reaches the site. */
  readonly host: string;
  readonly perSecond: number;
  /** It ends by itself after these. */
  readonly seconds: number;
  readonly connections?: number | undefined;
  /** Its number: 0, 1, … Ids are its own. */
  readonly number?: number | undefined;
  /** Posts to this URL of the app, in place of SQL. */
  readonly url?: string | undefined;
  /** The program that runs it: Node.js. */
  readonly node?: string | undefined;
}

/** A running writer. */
export interface Writer {
  readonly host: string;
  /** All that is known so far, in the order in which it ended. */
  readonly writes: readonly Write[];
  /** Resolves at the first acknowledged write. */
  readonly begun: Promise<void>;
  /** Lets it finish what is under way, and gives the tally. */
  stop(): Promise<WriteTally>;
  /** Waits for an acknowledged write that was sent after this moment (another instance's, if `notBy`). */
  acknowledgedAfter(moment: number, limitMs: number, notBy?: string): Promise<Write>;
}

/** The table that the writers fill, new and empty. Only root may make it. */
export async function makeTable(site: Site): Promise<void> {
  const primary = specOf(site, await primaryName(site));
  const table = `${site.app.database}.${TABLE}`;
  await sql(
    site,
    primary,
    `DROP TABLE IF EXISTS ${table};
     CREATE TABLE ${table} (
       id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
       accepted_by BIGINT UNSIGNED NOT NULL,
       sent_at DOUBLE NOT NULL,
       written_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)
     ) ENGINE = InnoDB;`,
    30_000,
  );
}

export async function dropTable(site: Site): Promise<void> {
  const primary = specOf(site, await primaryName(site));
  await sql(site, primary, `DROP TABLE IF EXISTS ${site.app.database}.${TABLE};`, 30_000);
}

/** Installs the writer's program on a host, unless it is there already. */
export async function putWriter(ground: Ground, host: string): Promise<string> {
  let text: string;
  try {
    text = readFileSync(BUNDLE, 'utf8');
  } catch (error) {
    throw new UserError(
      {
        message: `the writer's program is missing: ${fileURLToPath(BUNDLE)}`,
        hint: 'node scripts/build-drill.ts makes it',
      },
      { cause: error },
    );
  }
  const path = '/var/tmp/understudy-drill-writer.mjs';
  await ground.sh(host, `cat > ${path}.new && mv ${path}.new ${path}`, { input: text, timeoutMs: 30_000 });
  return path;
}

/** The distribution's Node.js, or the one that the role node has put beside it where that one is too old. */
const HOST_NODE =
  '"$(ls -d /usr/local/lib/node-*/node 2> /dev/null | tail -n 1 | grep . || command -v node)"';

/** Starts a writer; it is at work when `begun` resolves. */
export async function startWriter(site: Site, options: WriterOptions): Promise<Writer> {
  const { ground } = site;
  const { host, perSecond, seconds, number = 0 } = options;
  const path = await putWriter(ground, host);
  const stopFile = `/var/tmp/understudy-drill-stop-${process.pid}-${Date.now()}-${number}`;
  const common = {
    first: Date.now() * 1000 + number * IDS,
    perSecond,
    seconds,
    connections: options.connections ?? 8,
    stopFile,
  };
  const config: WriterConfig =
    options.url === undefined
      ? {
          ...common,
          kind: 'sql',
          attemptMs: 4000,
          endpoints: site.balancers.map((balancer) => ({ host: balancer.address, port: site.writerPort })),
          ...site.app,
          table: TABLE,
        }
      : { ...common, kind: 'http', attemptMs: 30_000, url: options.url, tag: `drill ${common.first}` };
  const writes: Write[] = [];
  const listeners = new Set<() => void>();
  const node = options.node === undefined ? HOST_NODE : quote(options.node);
  const running: Running = ground.start(host, `exec ${node} ${quote(path)}`, {
    input: JSON.stringify(config),
    onLine: (line) => {
      if (!line.startsWith('[')) return;
      writes.push(writeOf(JSON.parse(line) as WriteLine));
      for (const listener of listeners) listener();
    },
  });
  let hasEnded = false;
  const ended = running.ended.then(() => {
    hasEnded = true;
    for (const listener of listeners) listener();
  });

  const until = (
    found: () => Write | undefined,
    limitMs: number,
    what: string,
    endsToo = true,
  ): Promise<Write> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const write = found();
        if (write) finish(() => resolve(write));
        else if (hasEnded && endsToo) finish(() => reject(new Error(`the writer on ${host} ended: ${what}`)));
      };
      const finish = (then: () => void): void => {
        clearTimeout(timer);
        listeners.delete(check);
        then();
      };
      const timer = setTimeout(
        () =>
          finish(() =>
            reject(new Error(`not within ${limitMs / 1000} s: ${what} (${describe(tally(writes))})`)),
          ),
        limitMs,
      );
      listeners.add(check);
      check();
    });

  const begun = until(
    () => writes.find((write) => write.outcome === 'acknowledged'),
    FIRST_WRITE_MS,
    'a first accepted write',
  ).then(() => {});
  begun.catch(() => {});

  return {
    host,
    writes,
    begun,
    async stop() {
      // A host that is frozen, cut off or without power cannot be told: then it ends by itself, or has ended.
      await ground.sh(host, `touch ${stopFile}`, { timeoutMs: 5000 }).catch(() => {});
      const timer = setTimeout(() => running.end(), 10_000);
      await ended;
      clearTimeout(timer);
      await ground.sh(host, `rm -f ${stopFile}`, { timeoutMs: 5000 }).catch(() => {});
      return tally(writes);
    },
    acknowledgedAfter: (moment, limitMs, notBy) => {
      let looked = 0;
      return until(
        () => {
          for (; looked < writes.length; looked++) {
            const write = writes[looked];
            if (write?.outcome !== 'acknowledged' || write.endedAt < moment) continue;
            if (notBy === undefined ? write.sentAt >= moment : write.by !== notBy) return write;
          }
          return undefined;
        },
        limitMs,
        `an accepted write${notBy === undefined ? '' : ' by another instance'}`,
      );
    },
  };
}

/** `1200 accepted, 3 refused, 8 without an answer, longest gap 412 ms`. */
export function describe(found: WriteTally): string {
  const errors = Object.entries(found.errors)
    .sort(([, one], [, other]) => other - one)
    .map(([error, count]) => `${error} ${count}`);
  return `${found.acknowledged} accepted, ${found.refused} refused, ${found.unknown} without an answer, longest gap ${Math.round(found.gapMs)} ms${errors.length === 0 ? '' : ` (${errors.join(', ')})`}`;
}

/** The ids of the writers' rows that an instance has, read on its own machine. */
export async function storedIds(site: Site, instance: string): Promise<ReadonlySet<number>> {
  const spec = specOf(site, instance);
  const text = await site.ground.sh(
    spec.host,
    `${client(site)} --batch --skip-column-names --quick -e 'SELECT id FROM ${site.app.database}.${TABLE}'`,
    { timeoutMs: 60_000 },
  );
  return new Set(
    text
      .split('\n')
      .filter((line) => line !== '')
      .map(Number),
  );
}
