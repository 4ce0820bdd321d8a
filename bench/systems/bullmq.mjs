// BullMQ: one worker with `slots` jobs at once; finished jobs are removed, which only helps it.
import { createRequire } from 'node:module';
import { Done, expect, measure, parse, produce } from './driver.mjs';

const { Queue, Worker } = createRequire(import.meta.url)('bullmq');
const options = parse(process.argv);
const [host, port] = options.address.split(':');
const connection = { host, port: Number(port), maxRetriesPerRequest: null };
const queue = new Queue('measure', { connection, defaultJobOptions: { removeOnComplete: true } });

async function add(batch) {
  if (batch.length === 1) await queue.add('measure', { bytes: batch[0] });
  else await queue.addBulk(batch.map((bytes) => ({ name: 'measure', data: { bytes } })));
}

async function unfinished() {
  const counts = await queue.getJobCounts('waiting', 'active');
  return counts.waiting + counts.active;
}

await queue.waitUntilReady();
if (options.measure === 'enqueue') {
  let added = 0;
  await measure(options, async () => { added = await produce(options, add); return added; });
  expect(await unfinished() === added, 'not every job is there');
} else if (options.measure === 'process') {
  await produce({ ...options, batch: 1000 }, add);
  const done = new Done(options.count);
  const worker = new Worker('measure', async () => {}, { connection, concurrency: options.slots, autorun: false });
  worker.on('completed', (job) => done.add(job.data.bytes));
  await worker.waitUntilReady();
  await measure(options, async () => {
    worker.run();
    await done.all;
    return done.count;
  });
  await worker.close();
  expect(await unfinished() === 0, 'not every job was completed');
}
await queue.close();
