import { isAtLeast, type Version } from './version.ts';

/** What a server tells of what it is and of who runs it. */
export interface Identity {
  /** `@@version` as it stands. */
  readonly versionText: string;
  /** The same, read; undefined when it is no version. */
  readonly version: Version | undefined;
  /** Variables by their names in small letters, as far as the server has them: those of `IDENTITY_VARIABLES`. */
  readonly variables: ReadonlyMap<string, string>;
  /** The states of the members of its replication group, as it sees them. */
  readonly groupMembers: readonly string[];
}

export const IDENTITY_VARIABLES = [
  'version_comment',
  'datadir',
  'aurora_version',
  'group_replication_group_name',
  'wsrep_on',
  'wsrep_provider',
] as const;

/** Servers that speak the protocol and are something else, by a word of their version or its comment. */
const OTHER_PRODUCTS: readonly (readonly [RegExp, string])[] = [
  [/\btidb\b/i, 'TiDB'],
  [/\bvitess\b/i, 'Vitess'],
  [/\boceanbase\b/i, 'OceanBase'],
  [/\bsinglestore(db)?\b|\bmemsql\b/i, 'SingleStore'],
  [/\bdolt\b/i, 'Dolt'],
  [/\bstarrocks\b/i, 'StarRocks'],
  [/\bdoris\b/i, 'Apache Doris'],
  [/\bclickhouse\b/i, 'ClickHouse'],
  [/\bmaxscale\b/i, 'MaxScale, a proxy'],
  [/\bproxysql\b/i, 'ProxySQL, a proxy'],
];

/** Services whose operator moves the primary, and gives nobody the rights or the machine to do so. */
const SERVICES: readonly (readonly [(identity: Identity) => boolean, string])[] = [
  [
    ({ variables, versionText }) => filled(variables.get('aurora_version')) || /aurora/i.test(versionText),
    'Amazon Aurora',
  ],
  [({ variables }) => (variables.get('datadir') ?? '').startsWith('/rdsdbdata'), 'Amazon RDS'],
  [(identity) => /-google\b|\(google\)/i.test(described(identity)), 'Google Cloud SQL'],
  [(identity) => /\bazure\b/i.test(described(identity)), 'Azure Database'],
  [(identity) => /-cloud\b|enterprise - cloud/i.test(described(identity)), 'MySQL HeatWave'],
];

const OLDEST = { mysql: [8, 0, 26], mariadb: [10, 11, 0] } as const;

/**
 * Why this tool leaves a server alone, as a sentence that goes on after the instance's name; undefined for one that it
 * works with. Percona Server is MySQL. A group that elects its own primary is never changed from outside, and neither is
 * one whose member is stopped for the moment.
 */
export function serverLimitation(identity: Identity): string | undefined {
  const { version, versionText, variables, groupMembers } = identity;
  const product = OTHER_PRODUCTS.find(([words]) => words.test(described(identity)));
  if (product) return `is ${product[1]} (${versionText}), which replicates in another way`;
  if (version === undefined) return `says that its version is "${versionText}", which is none`;
  const service = SERVICES.find(([isIt]) => isIt(identity));
  if (service) return `belongs to ${service[1]}, whose own control plane moves the primary`;
  const group = variables.get('group_replication_group_name') ?? '';
  if (groupMembers.some((state) => state !== 'OFFLINE') || group !== '') {
    const name = group === '' ? '' : ` ${group}`;
    return `is a member of the group${name} of MySQL Group Replication (InnoDB Cluster), which elects its primary itself`;
  }
  const provider = (variables.get('wsrep_provider') ?? '').toLowerCase();
  if (isOn(variables.get('wsrep_on')) && provider !== '' && provider !== 'none') {
    return 'is a node of a Galera cluster, in which every node may take writes';
  }
  return versionLimitation(version);
}

/** Why a release is not supported; undefined when it is. */
export function versionLimitation(version: Version): string | undefined {
  const [major, minor, patch] = OLDEST[version.flavour];
  if (isAtLeast(version, major, minor, patch)) return undefined;
  return `runs ${version.text}, older than ${major}.${minor}.${patch}, the oldest release of its kind that is supported`;
}

function described({ versionText, variables }: Identity): string {
  return `${versionText} ${variables.get('version_comment') ?? ''}`;
}

function filled(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}

function isOn(value: string | undefined): boolean {
  return ['1', 'on'].includes((value ?? '').toLowerCase());
}
