// What driver.cc is to the drivers in C++: the command line, the clock, the device's counters, the line of JSON.
import { readFileSync, statSync } from 'node:fs';

// DRIVER MEASURE [--NAME VALUE]... ADDRESS
export function parse(argv) {
  const words = argv.slice(2);
  const options = { measure: words.shift(), address: words.pop(), count: 1000, seconds: 1e9, batch: 1, slots: 1 };
  for (let i = 0; i < words.length; i += 2) {
    const name = words[i].slice(2);
    options[name] = name in options ? Number(words[i + 1]) : words[i + 1];
  }
  return options;
}

// Numbered payloads of 100 bytes.
export function payloads(first, count) {
  return Array.from({ length: count }, (_, i) => String(first + i).padStart(20, '0').padEnd(100, 'x'));
}

function disk(path) {
  const device = statSync(path).dev;
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >> 12) & 0xfff00);
  const numbers = readFileSync(`/sys/dev/block/${major}:${minor}/stat`, 'utf8').trim().split(/\s+/).map(Number);
  return { flushes: numbers[15], bytes: numbers[6] * 512 };
}

// Times `work`, which returns how many jobs it did, and prints the line.
export async function measure(options, work) {
  const before = disk(options.disk);
  const start = process.hrtime.bigint();
  const jobs = await work();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const after = disk(options.disk);
  console.log(JSON.stringify({
    measure: options.measure, jobs, seconds, jobs_per_second: jobs / seconds,
    flushes_per_job: (after.flushes - before.flushes) / jobs,
    device_bytes_per_job: (after.bytes - before.bytes) / jobs,
  }));
}

// Adds until the count or the time is reached; `add` gets a batch of payloads.
export async function produce(options, add) {
  const until = performance.now() + options.seconds * 1000;
  let added = 0;
  while (added < options.count && performance.now() < until) {
    const batch = payloads(added, Math.min(options.batch, options.count - added));
    await add(batch);
    added += batch.length;
  }
  return added;
}

// What has been run: `all` resolves when it is `count` different jobs.
export class Done {
  constructor(count) {
    this.count = count;
    this.numbers = new Set();
    this.all = new Promise((resolve) => { this.resolve = resolve; });
  }
  add(payload) {
    const number = payload.slice(0, 20);
    if (this.numbers.has(number)) throw new Error(`job ${number} was run twice`);
    this.numbers.add(number);
    if (this.numbers.size === this.count) this.resolve();
  }
}

export function expect(condition, what) {
  if (!condition) throw new Error(what);
}
