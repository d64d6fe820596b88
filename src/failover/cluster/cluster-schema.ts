import { readFileSync } from 'node:fs';
import { z } from 'zod';

import { type Problem, UserError } from '../../lib/errors.ts';
import { Secret } from '../../lib/secret.ts';
import type { Cluster } from './cluster.ts';
import { endpointsSchema } from './endpoint.ts';
import { PROMOTION_RULES } from './promotion-rule.ts';
import { UNIT, UNIT_EXPECTED } from './unit.ts';
import { HOOK_NAMES } from './hook-name.ts';
import { NUMBER_SETTINGS, OTHER_SETTINGS } from './settings.ts';

// The file that a daemon reads: /etc/understudy/clusters/NAME.json, mode 0600, since it holds passwords.

const name = z.string().regex(/^[\w.-]+$/, 'expected letters, digits, ".", "_" and "-"');
const port = z.int().min(1).max(65_535);

const accountSchema = z
  .strictObject({ user: z.string().min(1), password: z.string().min(1) })
  .transform(({ user, password }) => ({ user, password: new Secret(password) }));

const instanceSchema = z.strictObject({
  name: name.describe('`db2`'),
  host: name.describe("the inventory's host that carries it, after which the balancers name their server"),
  address: z.string().min(1).describe('where the other instances and the balancers reach it'),
  port: port.default(3306),
  unit: z
    .string()
    .regex(UNIT, UNIT_EXPECTED)
    .optional()
    .describe('its systemd unit, where the machine carries several: `mariadb@db2`'),
  rule: z.enum(PROMOTION_RULES).default('neutral').describe('its rank as the next primary'),
  dataCentre: z.string().default(''),
});

const balancerSchema = z.strictObject({
  name,
  address: z.string().min(1).describe('where the other balancer reaches it'),
  apiPort: port.default(9999).describe("HAProxy's runtime API, on its loopback"),
  backend: name.default('mysql_primary').describe("HAProxy's backend of this cluster's writers"),
});

type NumberName = keyof typeof NUMBER_SETTINGS;

const numberSettings = Object.fromEntries(
  Object.entries(NUMBER_SETTINGS).map(([key, { least, most, default: fallback, sets }]) => [
    key,
    z.int().min(least).max(most).default(fallback).describe(sets),
  ]),
) as Record<NumberName, z.ZodDefault<z.ZodInt>>;

const settingsSchema = z.strictObject({
  ...numberSettings,
  allowOtherDataCentre: z
    .boolean()
    .default(OTHER_SETTINGS.allowOtherDataCentre.default)
    .describe(OTHER_SETTINGS.allowOtherDataCentre.sets),
  asyncWhenAlone: z
    .boolean()
    .default(OTHER_SETTINGS.asyncWhenAlone.default)
    .describe(OTHER_SETTINGS.asyncWhenAlone.sets),
  hooks: z
    .partialRecord(z.enum(HOOK_NAMES), z.string().startsWith('/', 'expected an absolute path'))
    .default({})
    .describe(OTHER_SETTINGS.hooks.sets),
  promotionSql: z.array(z.string().min(1)).default([]).describe(OTHER_SETTINGS.promotionSql.sets),
  demotionSql: z.array(z.string().min(1)).default([]).describe(OTHER_SETTINGS.demotionSql.sets),
  notify: z
    .strictObject({
      webhook: z.url().optional().describe(OTHER_SETTINGS.webhook.sets),
      email: z.string().optional().describe(OTHER_SETTINGS.email.sets),
      command: z.string().startsWith('/').optional().describe(OTHER_SETTINGS.command.sets),
    })
    .default({}),
});

/** The daemon's description of its cluster; keys, types and defaults are the documentation's. */
export const clusterSchema = z
  .strictObject({
    name: name.describe('of the cluster'),
    production: z.boolean().default(false).describe('production is never drilled'),
    flavour: z.enum(['mysql', 'mariadb']),
    instances: z.array(instanceSchema).min(1),
    balancers: z.array(balancerSchema).default([]),
    endpoints: endpointsSchema
      .optional()
      .describe('how writers find the primary (docs/failover-endpoints.md); by the HAProxy of each balancer'),
    accounts: z.strictObject({
      failover: accountSchema,
      replication: accountSchema,
      backup: accountSchema,
      etcd: accountSchema.optional(),
    }),
    tls: z.strictObject({
      ca: z.string().optional().describe('on this machine; without it, encrypted and not verified'),
      replicaCa: z
        .string()
        .default('/etc/mysql/understudy-tls/ca.pem')
        .describe('on the instances, for their replication'),
    }),
    etcd: z.array(z.string()).default([]).describe('the members, `10.0.0.21:2379`; none: files'),
    settings: settingsSchema.prefault({}),
  })
  .superRefine((cluster, context) => {
    for (const [key, values] of [
      ['name', cluster.instances.map((instance) => instance.name)],
      ['host', cluster.instances.map((instance) => instance.host)],
    ] as const) {
      for (const value of repeated(values))
        context.addIssue({
          code: 'custom',
          path: ['instances'],
          message: `two instances have the ${key} "${value}"`,
        });
    }
  });

/** Reads a daemon's file, and reports all that is wrong with it at once. */
export function readClusterFile(file: string): Cluster {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError(
      {
        message: `cannot read ${file}: ${(error as Error).message}`,
        hint: 'the role failover_watch writes it',
      },
      { cause: error },
    );
  }
  return parseCluster(text, file);
}

/** Reads the same from a text. */
export function parseCluster(text: string, file: string): Cluster {
  let plain: unknown;
  try {
    plain = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, and that holds passwords.
    throw new UserError({ message: `${file} is not JSON`, hint: 'the role failover_watch writes it' });
  }
  const parsed = clusterSchema.safeParse(plain);
  if (parsed.success)
    return { ...parsed.data, tls: { ca: parsed.data.tls.ca, replicaCa: parsed.data.tls.replicaCa } };
  throw new UserError(
    parsed.error.issues.map((issue): Problem => {
      const path = issue.path.map(String).join('.');
      return { message: `${file}: ${path === '' ? '' : `${path}: `}${issue.message}` };
    }),
  );
}

function repeated(values: readonly string[]): readonly string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}
