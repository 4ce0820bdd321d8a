#!/usr/bin/env python3
"""RQ: its SimpleWorker, which does not fork for each job, in burst mode.

usage: rq_driver.py MEASURE [--NAME VALUE]... ADDRESS
"""

import json
import logging
import os
import sys
import time

from redis import Redis
from rq import Queue, SimpleWorker

RUN = []


def run(payload):
    RUN.append(int(payload[:20]))


def disk(path):
    device = os.stat(path).st_dev
    with open(f'/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat', encoding='ascii') as file:
        fields = list(map(int, file.read().split()))
    return fields[15], fields[6] * 512


def produce(queue, count, batch, seconds):
    until, added = time.monotonic() + seconds, 0
    while added < count and time.monotonic() < until:
        payloads = [f'{number:020}'.ljust(100, 'x') for number in range(added, min(count, added + batch))]
        if batch == 1:
            queue.enqueue(run, payloads[0])
        else:
            queue.enqueue_many([Queue.prepare_data(run, [payload]) for payload in payloads])
        added += len(payloads)
    return added


def measure(path, name, work):
    before, start = disk(path), time.monotonic()
    jobs = work()
    seconds, after = time.monotonic() - start, disk(path)
    flushes, written = (b - a for a, b in zip(before, after))
    print(json.dumps({'measure': name, 'jobs': jobs, 'seconds': seconds, 'jobs_per_second': jobs / seconds,
                      'flushes_per_job': flushes / jobs, 'device_bytes_per_job': written / jobs}))
    return jobs


def main():
    name, *words, address = sys.argv[1:]
    options = {'count': 1000, 'seconds': 1e9, 'batch': 1,
               **{word[2:]: value for word, value in zip(words[::2], words[1::2])}}
    count, seconds, batch = int(options['count']), float(options['seconds']), int(options['batch'])
    host, port = address.split(':')
    queue = Queue(connection=Redis(host, int(port)))
    if name == 'enqueue':
        added = measure(options['disk'], name, lambda: produce(queue, count, batch, seconds))
        assert len(queue) == added, 'not every job is there'
    elif name == 'process':
        produce(queue, count, 1000, seconds)
        worker = SimpleWorker([queue], connection=queue.connection)

        def work():
            worker.work(burst=True, logging_level=logging.ERROR)
            return len(RUN)

        measure(options['disk'], name, work)
        assert len(RUN) == len(set(RUN)) == count and len(queue) == 0, 'not every job was run once'


if __name__ == '__main__':
    sys.modules['rq_driver'] = sys.modules['__main__']  # RQ finds the function by this name
    run.__module__ = 'rq_driver'
    main()
