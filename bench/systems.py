"""The systems that are compared: what each promises, what it takes, and how its driver (systems/) is run."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from servers import Beanstalkd, Postgres, Redis, preloaded
from shell_systems import SHELL_SYSTEMS

HERE = Path(__file__).resolve().parent

# What is promised when a call returns. Rows are to be compared within one.
CONTRACTS = {
    'D': 'durable: it has been flushed',
    'R': 'relaxed: a power cut takes what `loses` says',
    'M': 'in memory',
}


class System:
    """One that has a driver. `jobs` is how many `process` runs, bare and with slow flushes."""

    def __init__(self, driver, contract, mode=None, server=None, loses=None, module=None, jobs=(10_000, 2_000)):
        self.driver, self.contract, self.mode, self.server, self.loses = driver, contract, mode, server, loses
        self.module, self.jobs = module, jobs  # what a script imports

    def missing(self, bench):
        """Why it cannot be measured; nothing if it can."""
        if self.server and not bench.with_peers:
            return '--peers starts its server'
        if self.server and self.server.missing():
            return self.server.missing()
        command = self.command(bench)
        if not shutil.which(command[0]):
            return f'{command[0]} is not there'
        if self.module and subprocess.run(self.probe(), check=False, capture_output=True,
                                          env=self.environment(bench, None)).returncode != 0:
            return f'{self.module} is not installed'
        return None

    def command(self, bench):
        script = HERE / 'systems' / self.driver
        interpreters = {'.mjs': ['node', script], '.py': ['/usr/bin/python3', script]}
        return interpreters.get(script.suffix, [bench.programs / f'bench-{self.driver}'])

    def probe(self):
        if self.driver.endswith('.mjs'):
            return ['node', '-e', f'require("{self.module}")']
        return ['/usr/bin/python3', '-c', f'import {self.module}']

    def environment(self, bench, slow_flush):
        """A server's flushes are slow; its clients have none."""
        environment = os.environ if self.server else preloaded(slow_flush)
        return {**environment, 'NODE_PATH': str(bench.peers / 'node_modules')}

    def measure(self, bench, kind, options, slow):
        """What the driver printed. A store that has jobs waiting is made once, and used again."""
        options = dict(options)
        waiting = options.pop('waiting', 0)
        if kind == 'process':
            options.setdefault('count', self.jobs[slow])
        with contextlib.ExitStack() as stack:
            if waiting:
                store = self.filled(bench, waiting)
            else:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=bench.folder)))
                folder.chmod(0o755)
                store = folder / 'store'
            slow_flush = bench.slow_flush if slow else None
            if self.server:
                options['disk'] = folder
                store = stack.enter_context(self.server.start(folder, slow_flush))
            return self.run(bench, kind, options, store, slow_flush)

    def run(self, bench, kind, options, store, slow_flush=None):
        if self.mode:
            options = {'mode': self.mode, **options}
        words = [str(word) for name, value in options.items() for word in (f'--{name}', value)]
        command = [*map(str, self.command(bench)), kind, *words, str(store)]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                                env=self.environment(bench, slow_flush)).stdout
        return json.loads(output) if output else {}

    def filled(self, bench, waiting):
        store = bench.folder / f'{self.driver}-{self.mode}-{waiting}'
        if not store.exists():
            self.run(bench, 'fill', {'count': waiting}, store)
        return store


CUT = 'what has not been checkpointed'
SYSTEMS = {
    'tq': System('tq', 'D', jobs=(50_000, 20_000)),
    'raw overwrite': System('raw', 'D', 'overwrite'),
    'raw append': System('raw', 'D', 'append'),
    'lmdb': System('lmdb', 'D', jobs=(100_000, 50_000)),
    'sqlite FULL': System('sqlite', 'D', 'FULL', jobs=(100_000, 50_000)),
    'sqlite FULL+history': System('sqlite', 'D', 'FULL+history', jobs=(100_000, 50_000)),
    'sqlite NORMAL': System('sqlite', 'R', 'NORMAL', loses=CUT, jobs=(100_000, 50_000)),
    'redis always': System('redis', 'D', server=Redis('always')),
    'redis everysec': System('redis', 'R', server=Redis('everysec'), loses='1 s', jobs=(50_000, 50_000)),
    'beanstalkd -f0': System('beanstalkd', 'D', server=Beanstalkd('-f0')),
    'beanstalkd -f50': System('beanstalkd', 'R', server=Beanstalkd('-f50'), loses='50 ms', jobs=(20_000, 20_000)),
    'bullmq': System('bullmq.mjs', 'D', server=Redis('always'), module='bullmq', jobs=(3_000, 500)),
    'graphile-worker': System('graphile.mjs', 'D', server=Postgres(), module='graphile-worker', jobs=(10_000, 5_000)),
    'rq': System('rq_driver.py', 'D', server=Redis('always'), module='rq', jobs=(300, 100)),
}
SYSTEMS.update({f'commands: {name}': system for name, system in SHELL_SYSTEMS.items()})
