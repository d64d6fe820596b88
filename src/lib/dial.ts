import type { Duplex } from 'node:stream';

/** Opens a TCP connection, directly or through SSH. Rejects when it cannot. */
export type Dial = (address: string, port: number) => Promise<Duplex>;
