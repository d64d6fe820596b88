import test from 'ava';

import { serverVersion, upgradeRefusal } from '../../src/database/upgrade-rule.ts';
import { versionOf } from '../../src/database/version.ts';

interface Case {
  readonly title: string;
  readonly from: string;
  readonly to: string;
  readonly others: readonly string[];
  /** Undefined: it may be done. */
  readonly refused?: RegExp;
}

const CASES: readonly Case[] = [
  { title: 'a patch, one replica after the other', from: '9.7.3', to: '9.7.4', others: ['9.7.3', '9.7.3'] },
  { title: 'a patch of an instance that is alone', from: '8.4.6', to: '8.4.7', others: [] },
  { title: 'the last patch of three', from: '9.7.3', to: '9.7.4', others: ['9.7.4', '9.7.4'] },
  { title: 'nothing new', from: '9.7.4', to: '9.7.4', others: ['9.7.4'] },
  {
    title: 'back',
    from: '9.7.4',
    to: '9.7.3',
    others: ['9.7.4'],
    refused: /^db2 would go from 9\.7\.4 to 9\.7\.3: a server does not read the data of a newer one$/,
  },
  {
    title: 'the next release with long-term support',
    from: '8.4.7',
    to: '9.7.4',
    others: ['8.4.7', '8.4.6'],
    refused:
      /newer release than that of other1 \(8\.4\.7\) and other2 \(8\.4\.6\), which could not follow it/,
  },
  {
    title: 'the next innovation release',
    from: '9.5.0',
    to: '9.6.0',
    others: ['9.5.0', '9.6.0'],
    refused: /newer release than that of other1 \(9\.5\.0\), which/,
  },
  { title: 'behind the others', from: '9.5.0', to: '9.6.0', others: ['9.6.0', '9.7.1'] },
  {
    title: 'behind the others, to the next long-term release',
    from: '8.4.7',
    to: '9.7.4',
    others: ['9.7.4'],
  },
  {
    title: 'past a long-term release, although the others are there',
    from: '8.0.44',
    to: '9.7.4',
    others: ['9.7.4', '9.7.4'],
    refused: /past 8\.4: MySQL goes from one release with long-term support to the next$/,
  },
  {
    title: 'past one, from an innovation release',
    from: '8.3.0',
    to: '9.0.1',
    others: ['9.0.1'],
    refused: /past 8\.4:/,
  },
  { title: 'to a long-term release from an innovation one', from: '9.6.0', to: '9.7.0', others: ['9.7.0'] },
  {
    title: 'a new release without another instance',
    from: '8.4.7',
    to: '9.7.4',
    others: [],
    refused: /no other instance has its data as they are$/,
  },
  {
    title: "MariaDB's next release",
    from: '10.11.14-MariaDB',
    to: '11.8.3-MariaDB',
    others: ['10.11.14-MariaDB'],
    refused: /newer release than that of other1/,
  },
  {
    title: 'MariaDB behind the others, however far',
    from: '10.6.22-MariaDB',
    to: '11.8.3-MariaDB',
    others: ['11.8.3-MariaDB'],
  },
  {
    title: 'ten after nine',
    from: '10.9.8-MariaDB',
    to: '10.11.2-MariaDB',
    others: ['10.9.8-MariaDB'],
    refused: /newer release/,
  },
  {
    title: 'another product',
    from: '8.0.44',
    to: '11.8.3-MariaDB',
    others: ['8.0.44'],
    refused: /which is another product$/,
  },
];

for (const { title, from, to, others, refused } of CASES) {
  test(`${refused ? 'refused' : 'fine'}: ${title} (${from} to ${to}, beside ${others.join(', ') || 'none'})`, (t) => {
    const refusal = upgradeRefusal(
      { name: 'db2', from: versionOf(from), to: versionOf(to) },
      others.map((text, index) => ({ name: `other${index + 1}`, version: versionOf(text) })),
    );
    if (refused) t.regex(refusal ?? 'it may be done', refused);
    else t.is(refusal, undefined);
  });
}

test('the version of a server is that of the package which brings it, and of no other', (t) => {
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    ['mariadb-server-core', '1:11.8.3-0+deb13u1', 'mariadb 11.8.3'],
    ['mariadb-server-core-10.6', '1:10.6.22-0ubuntu0.22.04.1', 'mariadb 10.6.22'],
    ['mysql-server-core', '9.7.4-1', 'mysql 9.7.4'],
    ['mysql-server-core-8.0', '8.0.44-0ubuntu0.24.04.1', 'mysql 8.0.44'],
    ['mysql-community-server-core', '9.7.1-1debian13', 'mysql 9.7.1'],
    ['percona-server-server', '8.4.6-6-1.trixie', 'mysql 8.4.6'],
    ['default-mysql-server', '1.1.1', undefined],
    ['mysql-common', '5.8+1.1.1', undefined],
    ['mariadb-client', '1:11.8.3-0+deb13u1', undefined],
  ];
  for (const [name, version, expected] of cases) {
    const found = serverVersion(name, version);
    t.is(found && `${found.flavour} ${found.text}`, expected, name);
  }
});
