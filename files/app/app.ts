import { setTimeout as sleep } from 'node:timers/promises';
import { readConfig } from './config.ts';
import { log } from './log.ts';
import { openLogins } from './open-logins.ts';
import { openMessages } from './messages.ts';
import { type AppState, createApp } from './server.ts';

/** In-flight requests get this long after the drain, in milliseconds; systemd waits a little longer. */
const FINISH_MS = 25_000;

/** When no balancer has asked for this long, none has to be told. */
const WATCHED_MS = 5000;

const config = readConfig(process.env);
const messages = openMessages(config.database, config.server);
const logins = config.login && openLogins(config.login);
const state: AppState = { phase: 'running', watchedAt: 0 };
const server = createApp(config, messages, state, logins);

async function stop(): Promise<void> {
  if (state.phase === 'stopping') return;
  // First the balancers see it, then no new connection is taken, then what is under way is finished.
  state.phase = 'stopping';
  if (Date.now() - state.watchedAt < WATCHED_MS) await sleep(config.drainMs);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  await Promise.race([closed, sleep(FINISH_MS, undefined, { ref: false })]);
  server.closeAllConnections();
  await Promise.race([messages.close(), sleep(1000, undefined, { ref: false })]);
  logins?.close();
  process.exit(0);
}
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop());

server.listen(config.port, config.host, () => {
  log(`${config.server}: release ${config.version} listens on ${config.host}:${config.port}`);
});

// The table is made by whichever app meets a writable database first.
for (let told = false; state.phase === 'running';) {
  try {
    await messages.prepare(5000);
    break;
  } catch (error) {
    if (!told) log(`the database cannot be prepared yet: ${String((error as Error).cause ?? error)}`);
    told = true;
    await sleep(1000, undefined, { ref: false });
  }
}
