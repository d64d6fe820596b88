import { computed, signal } from '@preact/signals';

import type { PageState } from '../model/state.ts';
import { pageView } from '../model/view.ts';

/** What the server has sent last. */
export const state = signal<PageState | undefined>(undefined);
export const view = computed(() => state.value && pageView(state.value));
/** Since when nothing comes any more, in milliseconds since 1970; undefined: all is well. */
export const lostSince = signal<number | undefined>(undefined);

/** The server says something every ten seconds at least. */
const SILENCE_MS = 25_000;
const AGAIN_MS = 1000;

/**
 * Listens to the server, and goes on trying for as long as the page is open: a browser does so by itself when a connection
 * breaks, but not when it is refused, nor when it dies without a word.
 */
export function listen(): void {
  const source = new EventSource('events');
  let watchdog = 0;
  const anew = (): void => {
    clearTimeout(watchdog);
    source.close();
    setTimeout(listen, AGAIN_MS);
  };
  const wait = (): void => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => {
      lose();
      anew();
    }, SILENCE_MS);
  };
  source.addEventListener('state', ({ data }: MessageEvent<string>) => {
    state.value = JSON.parse(data) as PageState;
    lostSince.value = undefined;
    wait();
  });
  source.addEventListener('error', () => {
    lose();
    if (source.readyState === EventSource.CLOSED) anew();
  });
  wait();
}

function lose(): void {
  lostSince.value ??= Date.now();
}
