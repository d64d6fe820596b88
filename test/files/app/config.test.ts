import test from 'ava';
import { readConfig } from '../../../files/app/config.ts';

const COMPLETE = {
  APP_SERVER: 'web1',
  APP_DB_WRITERS: '10.0.0.1:3306,10.0.0.2:3306',
  APP_DB_READERS: '10.0.0.1:3307',
  APP_DB_NAME: 'app',
  APP_DB_USER: 'app',
  APP_DB_PASSWORD: 'secret',
  APP_DB_INSTANCES: 'web1=db1,web2=db2',
};

test('a complete environment is read', (t) => {
  const config = readConfig(COMPLETE);
  t.deepEqual(config.database.writers, [
    { host: '10.0.0.1', port: 3306 },
    { host: '10.0.0.2', port: 3306 },
  ]);
  t.is(config.instances.get('web2'), 'db2');
});

test('everything that is wrong is named at once', (t) => {
  const error = t.throws(() =>
    readConfig({ ...COMPLETE, APP_SERVER: '', APP_PORT: 'x', APP_DB_READERS: 'nowhere' }),
  );
  for (const name of ['APP_SERVER', 'APP_PORT', 'APP_DB_READERS']) t.true(error.message.includes(name), name);
});
