import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { LoginConfig } from './config.ts';
import { BadRequest, readFields } from './input.ts';
import type { Login, Logins } from './logins.ts';
import { loginPage, type Origin } from './pages.ts';
import { cookie, refuseForeignForms, type Reply, type Routes, setCookie } from './reply.ts';
import { isEqual, isSignature, sealsOf, signature } from './sealed.ts';

const TOKEN = 'login';
/** What a form is tied to before anybody is logged in. */
const VISIT = 'visit';
const VISIT_SECONDS = 3600;

/** Logging in, saying who is logged in, and logging out: as a page with forms, and as JSON. */
export function loginRoutes(config: LoginConfig, logins: Logins, origin: Omit<Origin, 'instance'>): Routes {
  /** A form is ours when it has this, which other sites cannot read. */
  const seals = () => sealsOf('form', config, Date.now());
  const formToken = (subject: string): string => signature(subject, seals()[0]);
  const mustBeOurs = (found: unknown, subject: string | undefined): void => {
    if (subject === undefined || typeof found !== 'string' || !isSignature(found, subject, seals())) {
      throw new BadRequest(403, 'this form is not ours, or too old: load the page again');
    }
  };
  const current = async (
    request: IncomingMessage,
  ): Promise<(Login & { readonly token: string }) | undefined> => {
    const token = cookie(request, TOKEN);
    const login = await logins.find(token);
    return login && token !== undefined ? { ...login, token } : undefined;
  };
  const isAccount = ({ user, password }: Readonly<Record<string, unknown>>): boolean => {
    if (typeof user !== 'string' || typeof password !== 'string') return false;
    // All are compared, whatever the first one gives.
    const passwords = [config.password, ...(config.otherPasswords ?? [])];
    const right = [isEqual(user, config.user), passwords.map((one) => isEqual(password, one)).some(Boolean)];
    return right.every(Boolean);
  };
  const remember = (request: IncomingMessage, token: string): string =>
    setCookie(request, TOKEN, token, config.seconds);
  const forget = (request: IncomingMessage): string => setCookie(request, TOKEN, '', 0);
  const shown = ({ user, expiresAt }: Login): object => ({
    user,
    expiresAt: new Date(expiresAt).toISOString(),
  });

  const page = (request: IncomingMessage, status: number, failure?: string): Reply => {
    const visit = cookie(request, VISIT) ?? randomUUID();
    return {
      status,
      body: loginPage({ ...origin, instance: '–' }, { formToken: formToken(visit), failure }),
      headers: { 'set-cookie': setCookie(request, VISIT, visit, VISIT_SECONDS, 'Strict') },
    };
  };

  return {
    '/login': {
      async GET(request) {
        const login = await current(request);
        if (login === undefined) return page(request, 200);
        const form = { formToken: formToken(login.token), user: login.user };
        return { status: 200, body: loginPage({ ...origin, instance: '–' }, form) };
      },
      async POST(request) {
        refuseForeignForms(request);
        const fields = await readFields(request, 'form');
        mustBeOurs(fields['form'], cookie(request, VISIT));
        if (!isAccount(fields)) return page(request, 401, 'This user and password do not belong together.');
        const { token } = await logins.begin(config.user);
        return {
          status: 303,
          body: '',
          headers: { 'set-cookie': remember(request, token), location: '/login' },
        };
      },
    },
    '/logout': {
      async POST(request) {
        refuseForeignForms(request);
        const token = cookie(request, TOKEN);
        mustBeOurs((await readFields(request, 'form'))['form'], token);
        await logins.end(token ?? '');
        return { status: 303, body: '', headers: { 'set-cookie': forget(request), location: '/login' } };
      },
    },
    // JSON needs no form's token: a browser sends it for another site only after asking, and is refused then.
    '/api/login': {
      async GET(request) {
        const login = await current(request);
        if (login === undefined) throw new BadRequest(401, 'nobody is logged in');
        return { status: 200, body: shown(login) };
      },
      async POST(request) {
        refuseForeignForms(request);
        if (!isAccount(await readFields(request, 'json'))) {
          throw new BadRequest(401, 'this user and password do not belong together');
        }
        const login = await logins.begin(config.user);
        return { status: 201, body: shown(login), headers: { 'set-cookie': remember(request, login.token) } };
      },
      async DELETE(request) {
        refuseForeignForms(request);
        const token = cookie(request, TOKEN);
        if (token !== undefined) await logins.end(token);
        return { status: 200, body: {}, headers: { 'set-cookie': forget(request) } };
      },
    },
  };
}
