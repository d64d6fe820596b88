import { render } from 'preact';

import type { PageView } from '../model/view.ts';
import { History, Members, Problems, Replication } from './database.tsx';
import { listen, lostSince, state, view } from './live.ts';
import { Card, Moment, Sign } from './parts.tsx';
import { Picture } from './picture.tsx';

function Page() {
  const shown = view.value;
  const lost = lostSince.value !== undefined;
  return (
    <>
      <header class="masthead">
        <h1>Understudy</h1>
        <p class="quiet">
          {state.value && (
            <>
              seen from <strong>{state.value.from}</strong> at <Moment at={state.value.at} />
            </>
          )}
        </p>
        <p class="live">
          <Sign tone={lost ? 'critical' : state.value ? 'good' : 'unknown'} />
          {lost ? 'not live' : state.value ? 'live' : 'connecting'}
        </p>
      </header>
      <Lost />
      <main class={lost ? 'old' : ''}>
        {shown ? <Shown shown={shown} /> : <p class="quiet start">The site is being looked at …</p>}
      </main>
    </>
  );
}

function Lost() {
  return (
    <div role="alert" class="alert">
      {lostSince.value !== undefined && (
        <p>
          <Sign tone="critical" />
          <span>
            <strong>Connection lost</strong> at <Moment at={lostSince.value} />.{' '}
            {state.value ? 'What is below is how it was then. ' : ''}The page goes on trying.
          </span>
        </p>
      )}
    </div>
  );
}

function Shown({ shown: { headline, details, stack, databases } }: { shown: PageView }) {
  const problems = databases.flatMap((database) => database.problems);
  return (
    <>
      <p role="status" class={`headline edge-${headline.tone}`}>
        <Sign tone={headline.tone} />
        <span>
          <strong>{headline.text}</strong>
          {details !== '' && <span class="quiet"> {details}</span>}
        </span>
      </p>
      <div class="grid">
        <Card id="stack" title="Site" class="stack">
          <Picture stack={stack} />
          {stack.drained.length > 0 && (
            <ul class="facts">
              {stack.drained.map(({ server, text, since, isRoll }) => (
                <li key={server} class="edge-notice" data-drained={server}>
                  <Sign tone="notice" />
                  <p>
                    <strong>{server}</strong> is out of service since <Moment at={since} />
                    {isRoll ? ', in a roll' : ''}: {text}
                  </p>
                </li>
              ))}
            </ul>
          )}
        </Card>
        <Problems problems={problems} />
        {databases.map((database) => (
          <Replication key={database.name} database={database} />
        ))}
        <div class="lists">{databases.flatMap((database) => lists(database, databases.length > 1))}</div>
        {databases.map((database) => (
          <History key={database.name} database={database} />
        ))}
      </div>
    </>
  );
}

/** What is watched around a database: each list where there is something to list. */
function lists(database: PageView['databases'][number], isOneOfSeveral: boolean) {
  const { name, watches, writers, etcd, sessions } = database;
  const of = isOneOfSeveral ? ` of ${name}` : '';
  const all = [
    ['watches', 'Watches', watches.length > 0 ? watches : [{ name: 'failover watch', mark: NOBODY }]],
    ['writers', 'Writers', writers],
    ['etcd', 'etcd', etcd],
    ['sessions', 'Sessions', sessions ?? []],
  ] as const;
  return all
    .filter(([, , members]) => members.length > 0)
    .map(([id, title, members]) => (
      <Members key={`${id}-${name}`} id={`${id}-${name}`} title={`${title}${of}`} members={members} />
    ));
}

const NOBODY = { tone: 'notice', text: 'nobody watches' } as const;

render(<Page />, document.body);
listen();
