import { z } from 'zod';

import { UserError } from '../lib/errors.ts';

/** Every setting with its default. Command-line options are stronger, then the environment, then what stands here. */
const settingsSchema = z.strictObject({
  inventory: z.string().min(1).default('inventory/lab').describe('the inventory: hosts.yml or its directory'),
  playbook: z.string().min(1).default('playbooks/site.yml').describe('the playbook of `up` and `check`'),
  forks: z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(50)
    .describe('hosts that are worked on at the same time'),
});

export type Settings = z.infer<typeof settingsSchema>;

/** The environment variable of each setting. */
export const SETTING_VARIABLES = {
  inventory: 'UNDERSTUDY_INVENTORY',
  playbook: 'UNDERSTUDY_PLAYBOOK',
  forks: 'UNDERSTUDY_FORKS',
} as const satisfies Record<keyof Settings, string>;

/** The settings that hold where no option is given. An empty variable counts as unset. */
export function settings(environment: Readonly<Record<string, string | undefined>> = process.env): Settings {
  const given = Object.fromEntries(
    Object.entries(SETTING_VARIABLES)
      .map(([name, variable]) => [name, environment[variable]] as const)
      .filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = settingsSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new UserError(
    parsed.error.issues.map((issue) => {
      const name = issue.path[0] as keyof Settings;
      return {
        message: `${SETTING_VARIABLES[name]}=${environment[SETTING_VARIABLES[name]]}: ${issue.message}`,
        hint: `it sets ${settingsSchema.shape[name].description}`,
      };
    }),
  );
}
