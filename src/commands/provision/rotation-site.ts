import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { isWanted } from '../../failover/cluster/wanted.ts';
import { primaryOf } from '../../failover/cluster/primary.ts';
import type { Topology } from '../../failover/cluster/topology.ts';
import { problems } from '../../failover/problems/problems.ts';
import { loadInventory } from '../../inventory/load.ts';
import { type Problem, UserError } from '../../lib/errors.ts';
import { SecretRegistry } from '../../lib/secret.ts';
import type { Dict } from '../../lib/value.ts';
import { ROTATED_SECRETS, SECRET_NAMES, type SecretName, type Stage } from '../../project/rotation.ts';
import { passwordsIn, stageOf } from '../../project/rotation-files.ts';
import { storeProblems } from '../../session-store/problems.ts';
import { operatorName } from '../failover/options.ts';
import { look, type Session } from '../failover/session.ts';
import { storeReader } from '../failover/session-store.ts';
import { ROLES, siteVariables, type SiteVariables } from '../failover/variables.ts';
import { type Attempt, notAccepted, stillAccepted, tryLogin } from './rotation-logins.ts';

const HOUR_MS = 3_600_000;
const STORE_TIMEOUT_MS = 60_000;

export interface RotationSite {
  readonly directory: string;
  readonly fileOf: (secret: SecretName) => string;
  readonly stages: ReadonlyMap<SecretName, Stage>;
  readonly secrets: SecretRegistry;
  readonly userOf: (secret: SecretName, host: string) => string;
  /** How long what is signed with a key that fades counts. */
  readonly fadeMs: number;
}

/**
 * The passwords of an inventory, and where each stands; rejects with every one of these that is not kept in a file. Those
 * of a store of sessions are left out where there is none.
 */
export function rotationSite(options: {
  readonly inventory: string;
  readonly playbook: string;
  readonly extraVars: Dict;
  /** Undefined: all. */
  readonly only: readonly SecretName[] | undefined;
}): RotationSite {
  const inventory = loadInventory(options.inventory);
  const secrets = new SecretRegistry();
  const playbookDirectory = dirname(resolve(options.playbook));
  const variables = siteVariables({
    inventory,
    playbookDirectory,
    extraVars: options.extraVars,
    secrets,
    roles: [...ROLES, 'app'],
  });
  const hosts = [...inventory.hosts.keys()];
  const hasStore = hosts.some((host) => variables.of(host).get('site_session_store') === 'valkey');
  const fileOf = (secret: SecretName): string =>
    join(inventory.directory, 'secrets', ROTATED_SECRETS[secret].file);
  const found: Problem[] = [];
  const stages = new Map<SecretName, Stage>();
  for (const secret of options.only ?? SECRET_NAMES) {
    if ('storeUser' in ROTATED_SECRETS[secret] && !hasStore) {
      if (options.only === undefined) continue;
      found.push({
        message: `${secret}: the site has no store of sessions`,
        hint: '`session_store: valkey` in the inventory makes one',
      });
      continue;
    }
    try {
      stages.set(secret, stageOf(fileOf(secret)));
      found.push(...elsewhere(secret, fileOf(secret), hosts, variables));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      found.push(...error.problems);
    }
  }
  if (found.length > 0) throw new UserError(found);
  return {
    directory: inventory.directory,
    fileOf,
    stages,
    secrets,
    fadeMs:
      Math.max(...hosts.map((host) => Number(variables.of(host).get('app_session_hours') ?? 0))) * HOUR_MS,
    userOf(secret, host) {
      const row = ROTATED_SECRETS[secret];
      return 'user' in row ? String(variables.of(host).get(row.user)) : '';
    },
  };
}

/** A password that the inventory, or a program, gives instead of the file is rotated where it is kept. */
function elsewhere(
  secret: SecretName,
  file: string,
  hosts: readonly string[],
  variables: SiteVariables,
): readonly Problem[] {
  const variable = ROTATED_SECRETS[secret].file;
  const { present } = passwordsIn(file);
  const host = hosts.find((each) => String(variables.of(each).get(variable)) !== present);
  if (host === undefined) return [];
  const location = variables.placeOf(host, variable);
  return [
    {
      message: `${host}: ${variable} is not what ${file} holds`,
      hint: `it is kept elsewhere, and is rotated there; --only ${SECRET_NAMES.filter((each) => each !== secret).join(',')} leaves it out`,
      ...(location && { location }),
    },
  ];
}

/** Why nothing is rotated now: all that is wrong with the clusters, and with the store when its passwords are among these. */
export async function rotationRefusals(
  sessions: readonly Session[],
  secrets: readonly SecretName[],
): Promise<readonly Problem[]> {
  const all = await Promise.all(
    sessions.map(async (session) => [
      ...refusalsOf((await look(session)).topology, session),
      ...(await storeRefusals(session, secrets)),
    ]),
  );
  return all.flat();
}

/** A member of the store that is not there would keep the passwords of before. */
export async function storeRefusals(
  session: Pick<Session, 'sessionStore' | 'shell'>,
  secrets: readonly SecretName[],
): Promise<readonly Problem[]> {
  const read = storeReader(session);
  if (read === undefined || !secrets.some((secret) => 'storeUser' in ROTATED_SECRETS[secret])) return [];
  return storeProblems(await read())
    .filter(({ code }) => code !== 'SessionMemoryFull' && code !== 'SessionReplicaLags')
    .map(({ host, message, remedy }) => ({
      message: `the store of sessions${host === undefined ? '' : ` on ${host}`}: ${message}`,
      hint: remedy,
    }));
}

function refusalsOf(topology: Topology, { cluster }: Pick<Session, 'cluster'>): readonly Problem[] {
  const { memory, at } = topology;
  const silent = topology.instances.flatMap((instance) =>
    instance.kind === 'silent'
      ? [{ message: `${instance.spec.name} does not answer: ${instance.silence.message}` }]
      : [],
  );
  const critical = problems(topology, cluster.settings)
    .filter(({ severity }) => severity === 'critical')
    .map(({ message, remedy }) => ({ message, hint: remedy }));
  const unfinished = memory.unfinished && {
    message: `a ${memory.unfinished.kind} to ${memory.unfinished.to} was cut off`,
    hint: `\`failover promote ${memory.unfinished.to}\` ends it`,
  };
  return [
    ...silent,
    ...critical,
    ...(unfinished ? [unfinished] : []),
    ...(primaryOf(topology).kind === 'writable' || critical.length > 0
      ? []
      : [{ message: `${cluster.name} has no single primary that takes writes` }]),
    ...(isWanted(memory, operatorName(), at) ? [{ message: `a failover of ${cluster.name} is due` }] : []),
  ].map((problem) => ({ hint: '`failover status` says what to do', ...problem }));
}

/** What every instance and every member of the store has to accept, and what not any more. */
export function attemptsOf(
  session: Session,
  site: RotationSite,
  secrets: readonly SecretName[],
  second: 'too' | 'no more',
): readonly Attempt[] {
  return [
    ...databaseAttempts(session, site, secrets, second),
    ...storeAttempts(session, site, secrets, second),
  ];
}

interface Wanted {
  readonly password: string;
  /** Whether it has to be accepted. */
  readonly accepted: boolean;
}

function wantedOf(file: string, second: 'too' | 'no more'): readonly Wanted[] {
  const passwords = passwordsIn(file);
  return [
    { password: passwords.present, accepted: true },
    ...(passwords.second === undefined ? [] : [{ password: passwords.second, accepted: second === 'too' }]),
  ];
}

function databaseAttempts(
  { cluster, ports }: Session,
  site: RotationSite,
  secrets: readonly SecretName[],
  second: 'too' | 'no more',
): readonly Attempt[] {
  const { settings, tls } = cluster;
  const ca = tls.ca === undefined ? undefined : readFileSync(tls.ca, 'utf8');
  return cluster.instances.flatMap(({ name, host, address, port }) => {
    const at = {
      name,
      address,
      port,
      dial: ports.dial,
      tls: { ca, serverName: ca === undefined ? undefined : host },
      connectTimeoutMs: settings.connectTimeoutMs,
    };
    return secrets
      .filter((secret) => 'user' in ROTATED_SECRETS[secret])
      .flatMap((secret) => {
        const user = site.userOf(secret, host);
        return wantedOf(site.fileOf(secret), second).map(
          (wanted): Attempt =>
            async (signal) =>
              await tryLogin({ at, user, ...wanted }, signal),
        );
      });
  });
}

/** Each host of the store tries them itself: nobody else reaches it. */
function storeAttempts(
  { sessionStore, shell }: Session,
  site: RotationSite,
  secrets: readonly SecretName[],
  second: 'too' | 'no more',
): readonly Attempt[] {
  const wanted = secrets.flatMap((secret) => {
    const row = ROTATED_SECRETS[secret];
    if (!('storeUser' in row)) return [];
    return wantedOf(site.fileOf(secret), second).map((each) => ({ user: row.storeUser, ...each }));
  });
  if (shell === undefined || wanted.length === 0) return [];
  const lines = wanted.map(({ user, password }) => `${user} ${password}\n`).join('');
  const script = `/usr/local/sbin/session-store accepts <<'end of the accounts'\n${lines}end of the accounts\n`;
  return sessionStore.map(({ host }): Attempt => async (signal) => {
    const { connection, become } = await shell(host);
    try {
      const { stdout, stderr } = await connection.run(script, {
        become,
        signal,
        timeoutMs: STORE_TIMEOUT_MS,
      });
      const said = stdout.toString();
      for (const [index, { user, accepted }] of wanted.entries()) {
        const answers = [...said.matchAll(/^(\d+) (\w+) (yes|no|silent)$/gm)].filter(
          ([, line]) => Number(line) === index + 1,
        );
        if (answers.length === 0)
          return `${host}: ${stderr.toString().trim() || 'session-store says nothing'}`;
        for (const [, , service, answer] of answers) {
          if (answer === 'silent') return `${host}: ${service} does not answer`;
          if ((answer === 'yes') !== accepted)
            return (accepted ? notAccepted : stillAccepted)(`${service} on ${host}`, user);
        }
      }
      return undefined;
    } finally {
      await connection.close();
    }
  });
}
