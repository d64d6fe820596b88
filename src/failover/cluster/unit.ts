/** Names of a server's unit. A fence stops and masks it, so nothing else may be named: `understudy-node` takes no other. */
export const UNIT = /^(mysql|mysqld|mariadb)(@[\w:-]+(\.[\w:-]+)*)?$/;
export const UNIT_EXPECTED =
  'expected a unit of mysql, mysqld or mariadb, with or without an instance: mariadb@db2';
