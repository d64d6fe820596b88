import { mariadbSite } from './support/mariadb-site.ts';

mariadbSite({ name: 'test-mariadb', debian: '13', version: '11.8' });
