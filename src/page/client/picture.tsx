import { useLayoutEffect, useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';

import { type Box, fit, layoutOf } from '../model/layout.ts';
import { type Mark, worst } from '../model/mark.ts';
import {
  type AddressView,
  type BalancerView,
  type ServerView,
  stackInWords,
  type StackView,
} from '../model/stack.ts';
import { Sign } from './parts.tsx';

const INSET = 12;
/** A sign, and the space behind it. */
const SIGN = 18;
const LINE = 18;

/** The stack as it hangs together. Its text is also there as a list, which readers of the screen get. */
export function Picture({ stack }: { stack: StackView }) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useSignal(0);
  useLayoutEffect(() => {
    const { current } = frame;
    if (current === null) return undefined;
    const measure = (): void => void (width.value = Math.floor(current.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    return () => observer.disconnect();
  }, []);
  const layout = layoutOf(stack, Math.max(width.value, 200));
  return (
    <div class="picture" ref={frame}>
      <ul class="unseen">
        {stackInWords(stack).map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      {width.value > 0 && (
        <svg width={width.value} height={layout.height} aria-hidden="true">
          {layout.lines.map(({ path, isUsed }) => (
            <path key={`${path}${isUsed}`} class={isUsed ? 'line used' : 'line'} d={path} />
          ))}
          {stack.addresses.map((address, index) => (
            <Address key={address.address} address={address} box={layout.addresses[index]} />
          ))}
          {stack.balancers.map((balancer, index) => (
            <Balancer key={balancer.name} balancer={balancer} box={layout.balancers[index]} />
          ))}
          {stack.servers.map((server, index) => (
            <Server key={server.name} server={server} box={layout.servers[index]} />
          ))}
        </svg>
      )}
    </div>
  );
}

function Address({ address: { address, mark }, box }: { address: AddressView; box: Box | undefined }) {
  if (box === undefined) return null;
  return (
    <g transform={`translate(${box.x} ${box.y})`}>
      <rect
        class={`box address edge-${mark.tone}`}
        width={box.width}
        height={box.height}
        rx={box.height / 2}
      />
      <Sign tone={mark.tone} at={{ x: INSET + 2, y: 10 }} />
      <text x={box.width / 2 + 8} y="21" text-anchor="middle" class="mono">
        {fit(address, box.width - 2 * INSET - SIGN)}
      </text>
    </g>
  );
}

function Balancer({ balancer: { name, mark, load }, box }: { balancer: BalancerView; box: Box | undefined }) {
  if (box === undefined) return null;
  return (
    <Frame box={box} name={name} tone={mark.tone}>
      <Line at={0} mark={mark} width={box.width} />
      {load !== undefined && <Plain at={1} text={load} width={box.width} />}
    </Frame>
  );
}

function Server({ server, box }: { server: ServerView; box: Box | undefined }) {
  if (box === undefined) return null;
  const { name, requests, load, instances } = server;
  const above = requests === undefined ? 0 : 2;
  const tone = worst([...(requests ? [requests.tone] : []), ...instances.map(({ mark }) => mark.tone)]);
  return (
    <Frame box={box} name={name} tone={tone}>
      {requests !== undefined && <Line at={0} mark={requests} width={box.width} />}
      {load !== undefined && <Plain at={1} text={load} width={box.width} />}
      {instances.map((instance, index) => (
        <Line
          key={instance.name}
          at={above + index}
          mark={{ tone: instance.mark.tone, text: `${instance.name} ${instance.mark.text}` }}
          isStrong={instance.mark.text === 'primary'}
          width={box.width}
        />
      ))}
    </Frame>
  );
}

function Frame({
  box,
  name,
  tone,
  children,
}: {
  box: Box;
  name: string;
  tone: Mark['tone'];
  children: preact.ComponentChildren;
}) {
  return (
    <g transform={`translate(${box.x} ${box.y})`}>
      <rect class={`box edge-${tone}`} width={box.width} height={box.height} rx="8" />
      <text x={INSET} y="22" class="name">
        {fit(name, box.width - 2 * INSET)}
      </text>
      {children}
    </g>
  );
}

function Line({
  at,
  mark,
  width,
  isStrong = false,
}: {
  at: number;
  mark: Mark;
  width: number;
  isStrong?: boolean;
}) {
  const y = 30 + at * LINE;
  const text = fit(mark.text, width - 2 * INSET - SIGN);
  return (
    <g>
      <title>{mark.text}</title>
      <Sign tone={mark.tone} at={{ x: INSET, y }} />
      <text x={INSET + SIGN} y={y + 10} class={isStrong ? 'strong' : undefined}>
        {text}
      </text>
    </g>
  );
}

function Plain({ at, text, width }: { at: number; text: string; width: number }) {
  return (
    <text x={INSET + SIGN} y={40 + at * LINE} class="soft">
      {fit(text, width - 2 * INSET - SIGN)}
    </text>
  );
}
