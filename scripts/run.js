// `node scripts/run.js NAME …` runs scripts/NAME.ts. In JavaScript, so that any Node can say which one is needed.
import { runSource } from '../bin/launch.js';

const [name] = process.argv.splice(2, 1);
await runSource(`npm run ${name}`, `scripts/${name}.ts`);
