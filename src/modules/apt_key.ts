import { z } from 'zod';

import { defineModule } from './kit/define.ts';

/** apt-key is gone from Debian 13; the module only says what to use instead. */
export const aptKey = defineModule({
  name: 'ansible.builtin.apt_key',
  summary: 'Is not supported: Debian no longer has apt-key. Use deb822_repository with signed_by.',
  args: z.record(z.string(), z.unknown()).superRefine((_given, context) => {
    context.addIssue({
      code: 'custom',
      message:
        'Debian no longer has apt-key; give the key to ansible.builtin.deb822_repository as signed_by, or put it into /etc/apt/keyrings',
    });
  }),
  facts: () => [],
  plan: () => ({ kind: 'failed', message: 'apt_key is not supported' }),
});
