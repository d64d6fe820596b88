import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';

import { run } from '../../src/lib/process.ts';

const script = readFileSync(
  fileURLToPath(new URL('../../playbooks/roles/haproxy/templates/haproxy-save-state.j2', import.meta.url)),
  'utf8',
);

const STATES = `1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port
3 web 1 web1 10.83.3.21 2 0 1 1 91 15 3 2 6 0 0 0 - 80 - 0 80 - - 80
3 web 2 web2 10.83.3.22 2 8 7 1 91 15 3 2 6 0 0 0 - 80 - 0 80 - - 80
3 web 3 web3 10.83.3.23 2 0 1 1 91 15 3 2 6 0 0 0 - 80 - 0 80 - - 80
6 mysql_primary 1 web1 10.83.3.21 2 0 1 1 91 15 3 2 6 0 0 0 - 3306 - 0 9201 - - 9201
6 mysql_primary 2 web2 10.83.3.22 0 0 1 1 91 17 2 0 6 0 0 0 - 3306 - 0 9201 - - 9201

`;

const CONFIGURATION = `global
    server-state-file /run/haproxy/server-state
frontend mysql_writer
    tcp-request content lua.await_writer_of mysql_primary
frontend orders_writer
    tcp-request content lua.await_writer_of orders_primary
backend web
    default-server check inter 500ms
    server web1 10.83.3.31:8081 cookie web1
    server web2 [fd00::22]:8082
backend mysql_primary
    server web1 10.83.3.21:3310 addr 10.83.3.21 port 9301
    server web2 10.83.3.22:3310 addr 10.83.3.22 port 9301
`;

test('what is kept over a reload is the state of servers, and where they are is the configuration to say', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'understudy-state-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const put = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  mkdirSync(join(directory, 'bin'));
  put('states', STATES);
  const answers = `#!/bin/sh
read -r asked
case $asked in
  'show servers state') cat "${directory}/states" ;;
  'writers show mysql_primary') echo 'held 900 until 1764338400000' ;;
  'writers show orders_primary') echo 'held 0 until 0' ;;
esac
`;
  chmodSync(put('bin/socat', answers), 0o755);
  const saved = await run(['sh', put('save', script.replaceAll('/run/haproxy', directory))], {
    env: {
      ...process.env,
      PATH: `${join(directory, 'bin')}:${process.env['PATH'] ?? ''}`,
      CONFIG: put('haproxy.cfg', CONFIGURATION),
    },
  });
  t.is(saved.status, 0, saved.stderr);
  t.deepEqual(readFileSync(join(directory, 'server-state'), 'utf8').trimEnd().split('\n'), [
    '1',
    '3 web 1 web1 - 2 0 1 1 91 15 3 2 6 0 0 0 - 8081 -',
    '3 web 2 web2 - 2 8 7 1 91 15 3 2 6 0 0 0 - 8082 -',
    '6 mysql_primary 1 web1 - 2 0 1 1 91 15 3 2 6 0 0 0 - 3310 -',
    '6 mysql_primary 2 web2 - 0 0 1 1 91 17 2 0 6 0 0 0 - 3310 -',
  ]);
  t.is(
    readFileSync(join(directory, 'writers-held'), 'utf8'),
    'mysql_primary 1764338400000\norders_primary 0\n',
  );
});
