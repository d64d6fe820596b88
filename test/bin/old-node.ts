const code = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.0.0' } });`;

/** Options of Node that make it say it is an old one: not every machine has such a one. */
export const PRETEND_OLD_NODE = ['--import', `data:text/javascript,${encodeURIComponent(code)}`] as const;
