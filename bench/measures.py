"""What is compared with what: in each measure the first row is held against each of the others."""

from typing import NamedTuple, Optional


SHELL = 'commands: '  # before the names of the queues of shells
NOUNS = {'threads': ('threads', 'thread'), 'processes': ('processes', 'process'), 'slots': ('slots', 'slot'),
         'batch': ('a transaction', 'a transaction'), 'waiting': ('waiting', 'waiting')}


class Row(NamedTuple):
    system: str
    wanted: Optional[float]  # how many times as much (of a latency: at most so much) the first row is to do
    options: dict            # of the driver, beyond those of the measure; waiting: jobs that are there before

    @property
    def label(self):
        words = [f'{value:,} {NOUNS[name][value == 1]}' for name, value in self.options.items() if name in NOUNS]
        return ', '.join([self.system.removeprefix(SHELL), *words])


def row(system, wanted=None, **options):
    return Row(system, wanted, options)


class Measure(NamedTuple):
    kind: str
    options: dict
    rows: list
    figure: str = 'jobs_per_second'
    unit: str = 'jobs/s'
    bound: Optional[float] = None  # the figure of the first row shall be at most this
    less: bool = False             # is better: `wanted` is an upper bound
    limit: Row = row('raw overwrite', seconds=0.3)  # what the machine can do: a round where it moved is rejected


ONE_WORKER = {'batch': 1000, 'slots': 1}  # what has no worker of its own: one loop, its best batch
GROWTH = {'100k': 100_000, '1m': 1_000_000, '10m': 10_000_000}


def producers(count):
    aim = 2 if count >= 8 else None
    return Measure('enqueue', {}, [
        row('tq', processes=count),
        row('tq', aim, processes=1),
        row('sqlite FULL', 1.5 if count >= 8 else None, processes=count),
        row('redis always', processes=count),
        row('beanstalkd -f0', processes=count),
    ])


def workers(count):
    return Measure('process', {'slots': 2}, [
        row('tq', processes=count),
        row('tq', 1 if count == 2 else None, processes=1),
        row('redis always', processes=count),
        row('redis everysec', processes=count),
        row('beanstalkd -f0', processes=count),
    ])


def growth(kind, waiting, options):
    return Measure(kind, options, [row('tq', waiting=waiting), row('tq', 0.8)])


MEASURES = {
    'one': Measure('enqueue', {}, [
        row('tq'),
        row('raw overwrite', 0.8),
        row('raw append'),
        row('lmdb'),
        row('sqlite FULL', 1.3),
        row('sqlite FULL+history'),
        row('sqlite NORMAL'),
        row('redis always', 1.4),
        row('redis everysec'),
        row('beanstalkd -f0', 1.4),
        row('beanstalkd -f50'),
        row('bullmq'),
        row('graphile-worker'),
        row('rq'),
    ]),
    'threads': Measure('enqueue', {}, [
        row('tq', threads=64),
        row('tq', 5, threads=1),
        row('sqlite FULL', 3, processes=8),
        row('redis always', 1, threads=64),
        row('beanstalkd -f0', threads=64),
    ]),
    **{f'producers-{count}': producers(count) for count in (2, 4, 8, 16)},
    'batch': Measure('enqueue', {'batch': 1000}, [
        row('tq'),
        row('raw append'),
        row('lmdb', 0.75),
        row('sqlite FULL', 3),
        row('sqlite FULL+history', 3),
        row('redis always'),
        row('beanstalkd -f0'),
        row('bullmq'),
        row('graphile-worker'),
        row('rq'),
    ]),
    'process': Measure('process', {'slots': 2}, [
        row('tq'),
        row('lmdb', 0.5, **ONE_WORKER),
        row('sqlite FULL', 1.5, **ONE_WORKER),
        row('sqlite FULL+history', 1.5, **ONE_WORKER),
        row('redis always'),
        row('redis everysec', 1.5, processes=2, slots=1),
        row('beanstalkd -f0'),
        row('beanstalkd -f50'),
        row('bullmq', 20, slots=10),
        row('graphile-worker', 6, slots=10),
        row('rq', slots=1),
    ]),
    **{f'workers-{count}': workers(count) for count in (2, 4, 8, 16)},
    'latency': Measure('latency', {'count': 100}, [
        row('tq'),
        row('beanstalkd -f0', 0.7),
        row('beanstalkd -f50'),
        row('redis always'),
        row('redis everysec'),
    ], 'samples_us', 'us', less=True),
    'commands': Measure('commands', {'count': 1000}, [
        row(SHELL + 'tq'),
        row(SHELL + 'posix_spawn', 0.85),
        row(SHELL + 'xargs', 1.6),
        row(SHELL + 'task-spooler', 2),
        row(SHELL + 'nq'),
        row(SHELL + 'GNU parallel'),
    ], unit='commands/s', limit=row(SHELL + 'posix_spawn', count=200)),
    'shell': Measure('add', {'count': 50}, [
        row(SHELL + 'tq'),
        row(SHELL + 'task-spooler'),
        row(SHELL + 'nq'),
    ], 'samples_us', 'us', less=True),
    'life': Measure('process', {'slots': 2, 'count': 300_000, 'result-bytes': 40}, [row('tq')],
                    'file_bytes_per_job', 'bytes', 500),
    **{f'{name}-at-{size}': growth(kind, waiting, options)
       for size, waiting in GROWTH.items()
       for name, kind, options in [('one', 'enqueue', {}), ('batch', 'enqueue', {'batch': 1000}),
                                   ('process', 'process', {'slots': 2})]},
}
