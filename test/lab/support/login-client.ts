// A visitor who is logged in, in a process of its own: `node login-client.ts URL USER PASSWORD-FILE STOP-FILE`. It asks steadily
// who it is, and logs in anew all the time; nothing that fails is asked again. When the stop file is there it looks whether
// every login that was answered is known, and prints one line of JSON (`LoginReport`).
import { existsSync, readFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

export interface LoginReport {
  /** Requests that were answered as they should be. */
  readonly answered: number;
  readonly logins: number;
  /** Seconds since the start, what was asked, what became of it. */
  readonly failures: readonly string[];
  /** How many logins that were answered are not known any more. */
  readonly lost: number;
  /** The longest that a request took, in milliseconds. */
  readonly longestMs: number;
}

const KNOWN_PAUSE_MS = 40;
const LOGIN_PAUSE_MS = 200;
const PATIENCE_MS = 30_000;

const [site = '', user = '', passwordFile = '', stopFile = ''] = process.argv.slice(2);
/** The password may be changed meanwhile. */
const account = (): string => JSON.stringify({ user, password: readFileSync(passwordFile, 'utf8').trim() });
const agent = new Agent({ keepAlive: false });
const startedAt = performance.now();
const failures: string[] = [];
const cookies: string[] = [];
let answered = 0;
let longestMs = 0;

interface Answered {
  readonly status: number;
  readonly cookie: string;
}

async function ask(method: 'GET' | 'POST', cookie?: string): Promise<Answered> {
  return await new Promise((resolve, reject) => {
    const request = httpRequest(new URL('/api/login', site), {
      agent,
      method,
      signal: AbortSignal.timeout(PATIENCE_MS),
      headers: {
        ...(cookie !== undefined && { cookie }),
        ...(method === 'POST' && { 'content-type': 'application/json' }),
      },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const [set = ''] = response.headers['set-cookie'] ?? [];
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, cookie: set.split(';', 1)[0] ?? '' }),
      );
      response.resume();
    });
    request.end(method === 'POST' ? account() : undefined);
  });
}

async function counted(
  what: string,
  wanted: number,
  work: () => Promise<Answered>,
): Promise<Answered | undefined> {
  const askedAt = performance.now();
  let found: string;
  try {
    const answer = await work();
    longestMs = Math.max(longestMs, performance.now() - askedAt);
    if (answer.status === wanted) {
      answered++;
      return answer;
    }
    found = `status ${answer.status}`;
  } catch (error) {
    found = (error as Error).message;
  }
  const at = ((askedAt - startedAt) / 1000).toFixed(1);
  failures.push(`${what} at ${at} s, after ${Math.round(performance.now() - askedAt)} ms: ${found}`);
  return undefined;
}

async function logIn(): Promise<void> {
  const answer = await counted('login', 201, async () => await ask('POST'));
  if (answer === undefined) return;
  cookies.push(answer.cookie);
  await counted('right after the login', 200, async () => await ask('GET', answer.cookie));
}

const running = new Set<Promise<unknown>>();

/** Asks at a steady rate, whatever becomes of the requests before. */
async function lane(pauseMs: number, once: () => Promise<unknown>): Promise<void> {
  while (!existsSync(stopFile)) {
    const one = once().finally(() => running.delete(one));
    running.add(one);
    await wait(pauseMs);
  }
}

await logIn();
const [first] = cookies;
await Promise.all([
  lane(
    KNOWN_PAUSE_MS,
    async () => await counted('who is logged in', 200, async () => await ask('GET', first)),
  ),
  lane(LOGIN_PAUSE_MS, logIn),
]);
await Promise.all(running);
let lost = 0;
for (const cookie of cookies) if ((await ask('GET', cookie)).status !== 200) lost++;
const report: LoginReport = {
  answered,
  logins: cookies.length,
  failures,
  lost,
  longestMs: Math.round(longestMs),
};
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit());
