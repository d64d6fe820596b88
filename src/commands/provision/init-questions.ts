import {
  addressProblem,
  type Balancer,
  interfaceProblem,
  networkAround,
  networkProblem,
  originProblem,
  type Server,
  type SiteAnswers,
  userProblem,
} from '../../project/site-answers.ts';

/** What was given on the command line, by the names of its options. */
export interface GivenAnswers {
  readonly user?: string;
  readonly vip?: string;
  readonly vip2?: string;
  readonly operator?: readonly string[];
  readonly balancer?: readonly Balancer[];
  readonly server?: readonly Server[];
  readonly frontNetwork?: string;
  readonly backNetwork?: string;
  readonly frontInterface?: string;
  readonly backInterface?: string;
  readonly serverInterface?: string;
}

/** Somebody at a terminal; without `ask` nobody is there, and defaults stand for what was not given. */
export interface Interviewer {
  readonly ask: ((question: string) => Promise<string>) | undefined;
  readonly say: (text: string) => void;
}

const BALANCERS = ['lb1', 'lb2'];
const SERVERS = ['web1', 'web2', 'web3'];

/** The options without which nothing can be laid out, as far as they are not given. */
export function missingAnswers(given: GivenAnswers): readonly string[] {
  const needed = ['balancer', 'server', 'vip', 'operator'] as const;
  return needed.filter((name) => given[name] === undefined).map((name) => `--${name}`);
}

/** Asks for all that was not given. An answer that cannot be is asked for again. */
export async function siteAnswers(given: GivenAnswers, interviewer: Interviewer): Promise<SiteAnswers> {
  const one = async (question: Question): Promise<string> => await answer(question, interviewer);
  const user =
    given.user ?? (await one({ text: 'Who logs in by SSH', fallback: 'admin', problem: userProblem }));

  let balancers = given.balancer;
  if (balancers === undefined) {
    const asked: Balancer[] = [];
    for (const name of BALANCERS) {
      const front = await one({
        text: `${name}, a balancer: its address for clients`,
        problem: addressProblem,
      });
      const back = await one({ text: `${name}: its address towards the servers`, problem: addressProblem });
      asked.push({ name, front, back });
    }
    balancers = asked;
  }
  let servers = given.server;
  if (servers === undefined) {
    const asked: Server[] = [];
    for (const name of SERVERS)
      asked.push({
        name,
        back: await one({ text: `${name}, a server: its address`, problem: addressProblem }),
      });
    servers = asked;
  }
  const vip =
    given.vip ?? (await one({ text: 'The floating address that clients use', problem: addressProblem }));
  const operator =
    given.operator ??
    words(
      await one({
        text: 'Where you come from: the addresses or networks that may use SSH on the balancers',
        problem: (text) =>
          words(text)
            .map(originProblem)
            .find((problem) => problem !== undefined),
      }),
    );
  const [first] = balancers;
  const network = async (name: string, address: string | undefined): Promise<string> =>
    await one({
      text: `The ${name} network`,
      fallback: networkAround(address ?? ''),
      problem: networkProblem,
    });
  const device = async (text: string, fallback: string): Promise<string> =>
    await one({ text, fallback, problem: interfaceProblem });
  return {
    user,
    vip,
    vip2: given.vip2,
    operator,
    balancers,
    servers,
    frontNetwork: given.frontNetwork ?? (await network("clients'", first?.front)),
    backNetwork: given.backNetwork ?? (await network("servers'", first?.back)),
    frontInterface: given.frontInterface ?? (await device("The balancers' interface for clients", 'eth0')),
    backInterface:
      given.backInterface ?? (await device("The balancers' interface towards the servers", 'eth1')),
    serverInterface: given.serverInterface ?? (await device("The servers' interface", 'eth0')),
  };
}

interface Question {
  readonly text: string;
  /** What an empty answer means. */
  readonly fallback?: string | undefined;
  /** Why an answer cannot be. */
  readonly problem: (text: string) => string | undefined;
}

async function answer({ text, fallback, problem }: Question, { ask, say }: Interviewer): Promise<string> {
  // What the defaults are worth is judged with everything else.
  if (ask === undefined) return fallback ?? '';
  for (;;) {
    const given = (await ask(`${text}${fallback === undefined ? '' : ` [${fallback}]`}: `)).trim();
    const chosen = given === '' ? fallback : given;
    if (chosen === undefined) continue;
    const wrong = problem(chosen);
    if (wrong === undefined) return chosen;
    say(`  ${wrong}`);
  }
}

function words(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '');
}
