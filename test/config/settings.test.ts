import test from 'ava';

import { settings } from '../../src/config/settings.ts';
import { UserError } from '../../src/lib/errors.ts';

test('without any variable the defaults hold', (t) => {
  t.deepEqual(settings({}), {
    inventory: 'inventory/lab',
    playbook: 'playbooks/site.yml',
    vaultPasswordFile: '',
    forks: 50,
  });
});

test('variables of the environment beat the defaults, empty ones do not', (t) => {
  t.deepEqual(
    settings({ UNDERSTUDY_INVENTORY: '/srv/hosts.yml', UNDERSTUDY_PLAYBOOK: '', UNDERSTUDY_FORKS: '7' }),
    {
      inventory: '/srv/hosts.yml',
      playbook: 'playbooks/site.yml',
      vaultPasswordFile: '',
      forks: 7,
    },
  );
});

test('a wrong variable is named with what was found', (t) => {
  for (const forks of ['many', '0', '1.5', '100000']) {
    const error = t.throws(() => settings({ UNDERSTUDY_FORKS: forks }), { instanceOf: UserError });
    t.true(error.message.startsWith(`UNDERSTUDY_FORKS=${forks}: `), error.message);
  }
});
