import type { ChangeView, DatabaseView, MemberView, ProblemView } from '../model/database.ts';
import type { TreeNode } from '../model/tree.ts';
import { Card, Moment, Said, Sentence, Sign } from './parts.tsx';

/** How replication runs: each replica below its source. */
export function Replication({ database }: { database: DatabaseView }) {
  const { name, epoch, primary, tree, storeFailure } = database;
  return (
    <Card
      id={`database-${name}`}
      title={`Database ${name}`}
      class="wide"
      note={
        <>
          <Said mark={primary} />
          {epoch !== undefined && <span> · epoch {epoch}</span>}
        </>
      }
    >
      {storeFailure !== undefined && (
        <ul class="facts">
          <li class="edge-critical">
            <Sign tone="critical" />
            <p>{storeFailure}</p>
          </li>
        </ul>
      )}
      <Nodes nodes={tree} isTop />
    </Card>
  );
}

function Nodes({ nodes, isTop = false }: { nodes: readonly TreeNode[]; isTop?: boolean }) {
  if (nodes.length === 0) return null;
  return (
    <ul class={isTop ? 'tree top' : 'tree'}>
      {nodes.map((node) => (
        <li key={node.name}>
          <Node node={node} />
          <Nodes nodes={node.below} />
        </li>
      ))}
    </ul>
  );
}

function Node({ node }: { node: TreeNode }) {
  const { name, place, product, role, tone, mark, replication, semiSync, gtids, rule } = node;
  return (
    <article class={`node edge-${tone}`} aria-label={`${name}, ${role}`} data-instance={name}>
      <p class="who">
        <strong>{name}</strong>
        <span class={`role ${role}`}>{role}</span>
        {rule !== undefined && <span class="role rule">{rule}</span>}
      </p>
      <p class="quiet mono">{place}</p>
      <dl>
        <div>
          <dt>state</dt>
          <dd>
            <Said mark={mark} />
          </dd>
        </div>
        {replication !== undefined && (
          <div>
            <dt>replication</dt>
            <dd>
              <Said mark={replication} />
            </dd>
          </div>
        )}
        {semiSync !== undefined && (
          <div>
            <dt>semi-sync</dt>
            <dd>
              <Said mark={semiSync} />
            </dd>
          </div>
        )}
        {gtids !== undefined && (
          <div>
            <dt>GTIDs</dt>
            <dd class="mono" title={gtids.full}>
              {gtids.short}
            </dd>
          </div>
        )}
        {product !== '' && (
          <div>
            <dt>server</dt>
            <dd>{product}</dd>
          </div>
        )}
      </dl>
    </article>
  );
}

export function Problems({ problems }: { problems: readonly ProblemView[] }) {
  return (
    <Card id="problems" title="Problems">
      {problems.length === 0 ? (
        <p class="none">
          <Said mark={{ tone: 'good', text: 'none' }} />
        </p>
      ) : (
        <ol class="problems">
          {problems.map(({ tone, code, message, remedy }) => (
            <li key={`${code} ${message}`} class={`edge-${tone}`} data-code={code}>
              <p class="what">
                <Sign tone={tone} />
                <strong>{code}</strong>
                <span class="quiet">{tone}</span>
              </p>
              <p>{message}</p>
              <p class="remedy">
                <Sentence text={remedy} />
              </p>
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}

/** A list of names, each with how it is. */
export function Members({
  id,
  title,
  members,
}: {
  id: string;
  title: string;
  members: readonly MemberView[];
}) {
  return (
    <Card id={id} title={title}>
      <dl class="members">
        {members.map(({ name, mark }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <Said mark={mark} />
            </dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}

export function History({ database: { name, history } }: { database: DatabaseView }) {
  return (
    <Card id={`history-${name}`} title={`History of ${name}`} class="wide">
      {history.length === 0 ? (
        <p class="none quiet">Nothing has happened yet.</p>
      ) : (
        <ol class="history">
          {history.map((change) => (
            <li key={change.id}>
              <Change change={change} />
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}

function Change({ change }: { change: ChangeView }) {
  const { at, kind, change: moved, mark, took, who, reason, notes, isRunning, steps } = change;
  return (
    <details open={isRunning} data-change={change.id}>
      <summary>
        <span class="when">
          <Moment at={at} />
        </span>
        <span class="moved">
          <strong>{kind}</strong> {moved}
        </span>
        <Said mark={mark} />
        <span class="quiet took">{took}</span>
        <span class="quiet why">
          {who}: {reason}
        </span>
      </summary>
      {notes.map((note) => (
        <p class="note">
          <Said mark={note} />
        </p>
      ))}
      <ol class="steps">
        {steps.map((step) => (
          <li>
            <Sign tone={step.mark.tone} />
            <span>{step.name}</span>
            <span class="quiet">
              {step.mark.text === 'done' ? step.took : `${step.mark.text} ${step.took}`}
            </span>
          </li>
        ))}
      </ol>
    </details>
  );
}
