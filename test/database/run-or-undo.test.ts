import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';

import { ServerFailure } from '../../src/database/failure.ts';
import { runOrUndo, type Undoable } from '../../src/database/run-or-undo.ts';
import type { Row, Session } from '../../src/database/session.ts';
import type { Sessions } from '../../src/database/sessions.ts';

interface FakeServer {
  readonly sessions: Pick<Sessions, 'with'>;
  readonly said: string[];
  readonly isReadOnly: () => boolean;
  /** Whoever holds the statement up lets it go. */
  readonly letGo: () => void;
}

/** A server on which `SET GLOBAL read_only = ON` waits until it is let go or told to end, whether its client is there or not. */
function fakeServer({ deaf = 0 }: { readonly deaf?: number } = {}): FakeServer {
  const said: string[] = [];
  let isReadOnly = false;
  let deafFor = deaf;
  let end: ((how: 'done' | 'killed') => void) | undefined;
  let ids = 0;
  const rows = async (sql: string): Promise<readonly Row[]> => {
    said.push(sql);
    if (sql === 'SET GLOBAL read_only = ON') {
      const how = await new Promise<'done' | 'killed'>((resolve) => (end = resolve));
      end = undefined;
      if (how === 'killed') {
        const silence = { kind: 'error', alive: true, message: 'interrupted' } as const;
        throw new ServerFailure('db1', 'becoming read-only', silence, { errno: 1317 });
      }
      isReadOnly = true;
    }
    if (sql.startsWith('KILL') && deafFor-- <= 0) end?.('killed');
    if (sql === 'SET GLOBAL read_only = OFF') isReadOnly = false;
    if (sql.startsWith('SELECT @@GLOBAL')) return [{ flag: isReadOnly ? '1' : '0' }];
    if (sql.startsWith('SELECT COUNT')) return [{ count: end === undefined ? '0' : '1' }];
    return [];
  };
  return {
    said,
    isReadOnly: () => isReadOnly,
    letGo: () => end?.('done'),
    sessions: {
      with: async (_limits, work) => {
        const session: Session = {
          id: ++ids,
          isOpen: true,
          destroy: () => {},
          rows: (_doing, sql) => rows(sql),
          results: () => Promise.reject(new Error('not asked')),
        };
        return await work(session);
      },
    },
  };
}

const CLOSING: Undoable = {
  name: 'db1',
  doing: 'becoming read-only',
  statements: async (session, limits) => {
    await session.rows('becoming read-only', 'SET GLOBAL read_only = ON', [], limits);
  },
  undo: 'SET GLOBAL read_only = OFF',
  askMs: 2000,
};

test('what waits for others is done when they let it go', async (t) => {
  const server = fakeServer();
  const work = runOrUndo(server.sessions, CLOSING, { timeoutMs: 60_000 });
  await nextTurn();
  server.letGo();
  await work;
  t.true(server.isReadOnly());
});

test('who is interrupted ends the statement on the server, then takes it back, then looks', async (t) => {
  const server = fakeServer();
  const interrupt = new AbortController();
  const work = runOrUndo(server.sessions, CLOSING, { timeoutMs: 60_000, signal: interrupt.signal });
  await nextTurn();
  interrupt.abort(new Error('interrupted'));
  await t.throwsAsync(work, { message: 'interrupted' });
  t.deepEqual(server.said, [
    'SET GLOBAL read_only = ON',
    'KILL QUERY ?',
    'SET GLOBAL read_only = OFF',
    'SELECT @@GLOBAL.read_only AS flag',
  ]);
  server.letGo();
  await nextTurn();
  t.false(server.isReadOnly(), 'nothing is left there that could be done later');
});

test('a statement that was told to end between two others is told again', async (t) => {
  const server = fakeServer({ deaf: 2 });
  const work = runOrUndo(server.sessions, CLOSING, { timeoutMs: 1 });
  await t.throwsAsync(work, { message: /not done within 1 ms, and is taken back/ });
  t.is(server.said.filter((sql) => sql === 'KILL QUERY ?').length, 3);
  t.false(server.isReadOnly());
});

test('what does not end is not said to be taken back', async (t) => {
  const server = fakeServer({ deaf: Infinity });
  const work = runOrUndo(server.sessions, { ...CLOSING, askMs: 50 }, { timeoutMs: 1 });
  await t.throwsAsync(work, { message: /has not ended: what it does may still be done/ });
  t.false(server.said.includes('SET GLOBAL read_only = OFF'));
});
