// graphile-worker: one pool of `slots` workers, with its local queue and batched completions, which is its fastest way.
import { createRequire } from 'node:module';
import { Done, expect, measure, parse, produce } from './driver.mjs';

const require = createRequire(import.meta.url);
const { Logger, makeWorkerUtils, run } = require('graphile-worker');
const { Pool } = require('pg');
const options = parse(process.argv);
const pgPool = new Pool({ connectionString: options.address, max: options.slots + 4 });
// Without handlers it warns; what fails throws where it is asked for.
pgPool.on('error', () => {});
pgPool.on('connect', (client) => client.on('error', () => {}));
const logger = new Logger(() => () => {});
const utils = await makeWorkerUtils({ pgPool, logger });
await utils.migrate();

async function add(batch) {
  if (batch.length === 1) await utils.addJob('measure', { bytes: batch[0] });
  else await utils.addJobs(batch.map((bytes) => ({ identifier: 'measure', payload: { bytes } })));
}

async function unfinished() {
  return Number((await pgPool.query('select count(*) from graphile_worker.jobs')).rows[0].count);
}

if (options.measure === 'enqueue') {
  let added = 0;
  await measure(options, async () => { added = await produce(options, add); return added; });
  expect(await unfinished() === added, 'not every job is there');
} else if (options.measure === 'process') {
  await produce({ ...options, batch: 1000 }, add);
  const done = new Done(options.count);
  const worker = {
    concurrentJobs: options.slots, localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0,
  };
  await measure(options, async () => {
    const runner = await run({
      pgPool, logger, noHandleSignals: true, preset: { worker },
      taskList: { measure: ({ bytes }) => done.add(bytes) },
    });
    await done.all;
    await runner.stop();  // returns when what was done is recorded
    return done.count;
  });
  expect(await unfinished() === 0, 'not every job was completed');
}
await utils.release();
await pgPool.end();
