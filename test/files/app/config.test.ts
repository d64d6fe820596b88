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

const LOGIN = { ...COMPLETE, APP_LOGIN_USER: 'ada', APP_LOGIN_PASSWORD: 'right', APP_SESSION_KEY: 'key' };

test('without an account nobody logs in; with one, a login is kept in a cookie or in Valkey', (t) => {
  t.is(readConfig(COMPLETE).login, undefined);
  t.like(readConfig(LOGIN).login, { user: 'ada', password: 'right', key: 'key', store: undefined });
  const stored = {
    ...LOGIN,
    APP_SESSION_STORE: 'valkey',
    APP_SESSION_SENTINELS: '10.0.0.1:26379,10.0.0.2:26379',
    APP_SESSION_STORE_PASSWORD: 'secret',
    APP_SESSION_STORE_CA: 'PEM',
  };
  t.like(readConfig(stored).login?.store, {
    sentinels: [
      { host: '10.0.0.1', port: 26379 },
      { host: '10.0.0.2', port: 26379 },
    ],
    name: 'sessions',
    password: 'secret',
    ca: 'PEM',
  });
});

test('what is missing for logins is named at once', (t) => {
  const error = t.throws(() =>
    readConfig({
      ...COMPLETE,
      APP_LOGIN_USER: 'ada',
      APP_SESSION_STORE: 'valkey',
      APP_SESSION_SENTINELS: 'x',
    }),
  );
  for (const name of [
    'APP_LOGIN_PASSWORD',
    'APP_SESSION_KEY',
    'APP_SESSION_SENTINELS',
    'APP_SESSION_STORE_CA',
  ]) {
    t.true(error.message.includes(name), name);
  }
  t.throws(() => readConfig({ ...LOGIN, APP_SESSION_STORE: 'files' }), {
    message: /expected cookie or valkey/,
  });
});

test('below the password and the key is what counts as well', (t) => {
  const login = readConfig({
    ...LOGIN,
    APP_LOGIN_PASSWORD: 'right\nright, too',
    APP_SESSION_KEY: 'key\nnext\nbefore 1893456000',
  }).login;
  t.like(login, { password: 'right', otherPasswords: ['right, too'], key: 'key' });
  t.deepEqual(login?.otherKeys, [
    { key: 'next', until: Number.POSITIVE_INFINITY },
    { key: 'before', until: 1_893_456_000_000 },
  ]);
  t.deepEqual(readConfig(LOGIN).login?.otherKeys, []);
});
