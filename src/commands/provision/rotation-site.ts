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
import { operatorName } from '../failover/options.ts';
import { look, type Session } from '../failover/session.ts';
import { siteVariables, type SiteVariables } from '../failover/variables.ts';
import type { Login } from './rotation-logins.ts';

export interface RotationSite {
  readonly directory: string;
  readonly fileOf: (secret: SecretName) => string;
  readonly stages: ReadonlyMap<SecretName, Stage>;
  readonly secrets: SecretRegistry;
  readonly userOf: (secret: SecretName, host: string) => string;
}

/** The passwords of an inventory, and where each stands; rejects with every one of these that is not kept in a file. */
export function rotationSite(options: {
  readonly inventory: string;
  readonly playbook: string;
  readonly extraVars: Dict;
  readonly only: readonly SecretName[];
}): RotationSite {
  const inventory = loadInventory(options.inventory);
  const secrets = new SecretRegistry();
  const playbookDirectory = dirname(resolve(options.playbook));
  const variables = siteVariables({ inventory, playbookDirectory, extraVars: options.extraVars, secrets });
  const fileOf = (secret: SecretName): string =>
    join(inventory.directory, 'secrets', ROTATED_SECRETS[secret].file);
  const found: Problem[] = [];
  const stages = new Map<SecretName, Stage>();
  for (const secret of options.only) {
    try {
      stages.set(secret, stageOf(fileOf(secret)));
      found.push(...elsewhere(secret, fileOf(secret), [...inventory.hosts.keys()], variables));
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

/** Why nothing is rotated now: all that is wrong with the clusters. */
export async function rotationRefusals(sessions: readonly Session[]): Promise<readonly Problem[]> {
  const all = await Promise.all(
    sessions.map(async (session) => refusalsOf((await look(session)).topology, session)),
  );
  return all.flat();
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

/** What every instance has to accept, and what not any more. */
export function loginsOf(
  { cluster, ports }: Session,
  site: RotationSite,
  secrets: readonly SecretName[],
  second: 'too' | 'no more',
): readonly Login[] {
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
    return secrets.flatMap((secret): readonly Login[] => {
      const user = site.userOf(secret, host);
      const passwords = passwordsIn(site.fileOf(secret));
      const login = { at, user };
      return [
        { ...login, password: passwords.present, accepted: true },
        ...(passwords.second === undefined
          ? []
          : [{ ...login, password: passwords.second, accepted: second === 'too' }]),
      ];
    });
  });
}
