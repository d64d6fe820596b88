import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { siteVariables } from '../../../src/commands/failover/variables.ts';
import { loadInventory } from '../../../src/inventory/load.ts';
import { type ProcessResult, run } from '../../../src/lib/process.ts';
import { SecretRegistry } from '../../../src/lib/secret.ts';
import type { Value } from '../../../src/lib/value.ts';
import type { LoginStoreConfig } from '../../../files/app/config.ts';
import { firstMissing, type Missing, needsProgram } from '../../needs.ts';

/*
 * The store of sessions with its real servers: three members on addresses of the loopback, each with what the role
 * valkey makes for it. Debian 12 has no Valkey; its Redis is the same in everything that is used here.
 */

const PLAYBOOKS = fileURLToPath(new URL('../../../playbooks/', import.meta.url));
const PREFIX = existsSync('/usr/bin/valkey-server') ? 'valkey' : 'redis';
const MEMBERS = ['web1', 'web2', 'web3'] as const;

export type Member = (typeof MEMBERS)[number];

export function needsStore(): Missing {
  return firstMissing(
    PREFIX === 'valkey' ? undefined : needsProgram('redis-server', 'valkey-server (Debian 12: redis-server)'),
    needsProgram(`${PREFIX}-sentinel`, `${PREFIX}-sentinel`),
    needsProgram('openssl', 'openssl'),
  );
}

export class SessionStore {
  readonly #directory = mkdtempSync(join(tmpdir(), 'session-store-'));
  readonly #processes = new Map<string, ChildProcess>();
  readonly #render: (host: string, template: string) => string;
  readonly #variable: (host: string, name: string) => string;
  readonly config: LoginStoreConfig;

  /** `net`: the third number of the members' addresses, so that tests do not meet. */
  constructor(net: number) {
    const inventory = join(this.#directory, 'hosts.yml');
    const address = (index: number): string => `127.0.${net}.${index + 1}`;
    writeFileSync(
      inventory,
      `all:
  children:
    balancers: { hosts: { lb1: { back_address: 127.0.${net}.11 } } }
    servers:
      vars: { session_store: valkey, valkey_memory_mb: 16, valkey_patience: 120, valkey_down_after_ms: 4000 }
      hosts:
${MEMBERS.map((name, index) => `        ${name}: { back_address: ${address(index)}, valkey_port: 6391, valkey_sentinel_port: 26391 }`).join('\n')}
`,
    );
    const loaded = loadInventory(inventory);
    const variablesWith = (more: readonly (readonly [Value, Value])[]) =>
      siteVariables({
        inventory: loaded,
        playbookDirectory: PLAYBOOKS,
        extraVars: new Map<Value, Value>(more),
        secrets: new SecretRegistry(),
        roles: ['authority', 'valkey'],
      });
    this.#variable = (host, name) => String(variablesWith([]).of(host).get(name));
    mkdirSync(join(this.#directory, 'secrets'));
    for (const name of ['app', 'replica', 'sentinel', 'manager']) {
      writeFileSync(join(this.#directory, `secrets/valkey_${name}_password`), `${name}Secret\n`);
    }
    this.#render = (host, template) =>
      String(
        variablesWith([
          ['authority_prefix', 'valkey-'],
          ['authority_hosts', MEMBERS.map((name, index) => [name, address(index)])],
          ['probe', `{{ lookup('ansible.builtin.template', '${PLAYBOOKS}roles/${template}') }}`],
        ])
          .of(host)
          .get('probe'),
      );
    this.config = {
      sentinels: MEMBERS.map((_, index) => ({ host: address(index), port: 26391 })),
      name: 'sessions',
      user: 'app',
      password: 'appSecret',
      get ca() {
        return readFileSync(authority, 'utf8');
      },
      patienceMs: 20_000,
    };
    const authority = join(this.#directory, 'tls/ca.pem');
  }

  /** What `provision up` leaves on each member. */
  async make(): Promise<void> {
    const script = this.#render('web1', 'authority/templates/certificates.sh.j2');
    const made = await run(['sh', '-s', '--', join(this.#directory, 'tls'), 'make'], { input: script });
    if (made.status !== 0) throw new Error(made.stderr);
    for (const member of MEMBERS) {
      const at = this.#at(member);
      for (const folder of ['etc', 'lib', 'bin']) mkdirSync(join(at, folder), { recursive: true });
      const files: Readonly<Record<string, string>> = {
        'etc/understudy.conf': 'server.conf.j2',
        'etc/users.acl': 'users.acl.j2',
        'etc/understudy-sentinel.conf': 'sentinel.conf.j2',
        'etc/sentinel-users.acl': 'sentinel-users.acl.j2',
        'bin/session-store': 'session-store.j2',
      };
      for (const [file, template] of Object.entries(files)) this.#write(member, file, template);
      writeFileSync(
        join(at, 'etc/manager-password'),
        `${this.#variable(member, 'valkey_manager_password')}\n`,
      );
      for (const [from, to] of [
        ['ca.pem', 'ca.pem'],
        [`valkey-${member}.pem`, 'member.pem'],
        [`valkey-${member}.key`, 'member.key'],
      ] as const) {
        writeFileSync(join(at, 'etc', to), readFileSync(join(this.#directory, 'tls', from)));
      }
      if (PREFIX !== 'valkey') symlinkSync(`/usr/bin/${PREFIX}-cli`, join(at, 'bin/valkey-cli'));
    }
  }

  /** As a run leaves it while the app's password is changed; undefined: that is over. */
  async secondPassword(password: string | undefined): Promise<void> {
    const file = join(this.#directory, 'secrets/valkey_app_password.new');
    if (password === undefined) rmSync(file);
    else writeFileSync(file, `${password}\n`);
    for (const member of MEMBERS) {
      for (const name of ['users.acl', 'sentinel-users.acl'])
        this.#write(member, `etc/${name}`, `${name}.j2`);
      const { status, stderr } = await this.program(member, 'load-accounts');
      if (status !== 0) throw new Error(stderr);
    }
  }

  /** Which of these accounts are let in: `1 valkey yes`. */
  async accepts(
    member: Member,
    accounts: readonly (readonly [string, string])[],
  ): Promise<readonly string[]> {
    const input = accounts.map((words) => `${words.join(' ')}\n`).join('');
    const { stdout } = await this.#run(member, ['accepts'], input);
    return stdout.trimEnd().split('\n');
  }

  /** Runs the members' own program. */
  async program(member: Member, ...words: readonly string[]): Promise<ProcessResult> {
    return await this.#run(member, words);
  }

  async #run(member: Member, words: readonly string[], input?: string): Promise<ProcessResult> {
    const bin = join(this.#at(member), 'bin');
    return await run(['sh', join(bin, 'session-store'), ...words], {
      env: { ...process.env, PATH: `${bin}:${process.env['PATH']}` },
      timeoutMs: 90_000,
      ...(input !== undefined && { input }),
    });
  }

  /** A command for Valkey itself, as the account that is given. */
  async cli(member: Member, user: string, password: string, ...words: readonly string[]): Promise<string> {
    const { stdout, stderr } = await run(
      [
        `/usr/bin/${PREFIX}-cli`,
        ...(user === '' ? [] : ['--user', user, '--no-auth-warning']),
        ...(password === '' ? [] : ['--tls', '--cacert', join(this.#at(member), 'etc/ca.pem')]),
        '-h',
        this.#variable(member, 'back_address'),
        '-p',
        '6391',
        ...words,
      ],
      { env: { ...process.env, ...(password !== '' && { REDISCLI_AUTH: password }) }, timeoutMs: 5000 },
    );
    return `${stdout}${stderr}`.trim();
  }

  start(member: Member, what: 'server' | 'sentinel'): void {
    const at = this.#at(member);
    const [state, ours] =
      what === 'server'
        ? ['replication.conf', 'understudy.conf']
        : ['sentinel.conf', 'understudy-sentinel.conf'];
    const log = openSync(join(at, `${what}.log`), 'a');
    // As the unit starts it.
    this.#processes.set(
      `${member} ${what}`,
      spawn(
        `/usr/bin/${PREFIX}-${what}`,
        [
          join(at, 'lib', state),
          '--include',
          join(at, 'etc', ours),
          '--supervised',
          'no',
          '--daemonize',
          'no',
        ],
        { stdio: ['ignore', log, log] },
      ),
    );
  }

  async end(member: Member, what: 'server' | 'sentinel', signal: NodeJS.Signals): Promise<void> {
    const child = this.#processes.get(`${member} ${what}`);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const over = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill(signal);
    await over;
  }

  state(member: Member, file: 'replication.conf' | 'sentinel.conf'): string {
    return readFileSync(join(this.#at(member), 'lib', file), 'utf8');
  }

  /** Who says that it is the primary. */
  async primaries(): Promise<readonly Member[]> {
    const roles = await Promise.all(
      MEMBERS.map(async (member) => [member, (await this.program(member, 'status')).stdout] as const),
    );
    return roles.filter(([, said]) => /^role:master\r?$/m.test(said)).map(([member]) => member);
  }

  async close(): Promise<void> {
    for (const name of this.#processes.keys()) {
      const [member, what] = name.split(' ') as [Member, 'server' | 'sentinel'];
      await this.end(member, what, 'SIGKILL');
    }
    if (process.env['KEEP_STORE'] === undefined) rmSync(this.#directory, { recursive: true });
  }

  #write(member: Member, file: string, template: string): void {
    const at = this.#at(member);
    const text = this.#render(member, `valkey/templates/${template}`)
      .replaceAll('/etc/valkey', join(at, 'etc'))
      .replaceAll('/var/lib/valkey', join(at, 'lib'))
      .replaceAll('chown valkey:valkey', 'test -s')
      // Younger than Redis 7.0.
      .replaceAll(PREFIX === 'valkey' ? '' : ' +client|setinfo', '');
    writeFileSync(join(at, file), text);
  }

  #at(member: string): string {
    return join(this.#directory, member);
  }
}

export { MEMBERS };
