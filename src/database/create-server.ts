import { MariadbServer } from './mariadb/server.ts';
import { MysqlServer } from './mysql/server.ts';
import type { Server } from './server.ts';
import type { ServerOptions } from './server-options.ts';

/** A handle to one instance. Nothing is opened before the first question. */
export function createServer(options: ServerOptions): Server {
  return options.flavour === 'mysql' ? new MysqlServer(options) : new MariadbServer(options);
}
