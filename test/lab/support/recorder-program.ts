import { createServer } from 'node:http';

/** Writes down what it is told, a line of JSON each, for whoever started it. */
const [port = ''] = process.argv.slice(2);
const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const body = JSON.parse(Buffer.concat(parts).toString()) as unknown;
    process.stdout.write(`${JSON.stringify({ at: Date.now(), path: request.url, body })}\n`);
    response.end();
  });
});
server.listen(Number(port), '127.0.0.1');
