import { mariadbSite } from './support/mariadb-site.ts';

mariadbSite({ name: 'test-deb12', debian: '12', version: '10.11' });
