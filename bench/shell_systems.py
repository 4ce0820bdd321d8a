"""The queues of shells: how fast they run commands that are queued already, and what adding one costs."""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path


def output_of(command, **options):
    return subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True, **options).stdout


class Shell:
    """A program that needs no queue: `command` runs COUNT times `true`, two at once."""
    loses = None

    def __init__(self, program, contract, command=None, share=1):
        self.program, self.contract, self.command, self.share = program, contract, command, share

    def missing(self, bench):
        return None if shutil.which(self.program, path=f'{bench.programs}:{os.environ["PATH"]}') else 'not installed'

    def measure(self, bench, kind, options, slow):
        with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
            environment = {**os.environ, **self.environment(folder, options['count'])}
            with self.queue(Path(folder), environment):
                if kind == 'add':
                    return self.time_adds(bench, options['count'], folder, environment)
                count = max(1, int(options['count'] * self.share))
                return {'jobs_per_second': count / self.seconds(bench, count, Path(folder), environment)}

    def environment(self, folder, count):
        return {}

    @contextlib.contextmanager
    def queue(self, folder, environment):
        yield

    def seconds(self, bench, count, folder, environment):
        command = self.command.format(bench=bench.programs, count=count)
        return bench.commands(1, ['sh', '-c', command])[0][0] / 1e6

    def time_adds(self, bench, count, folder, environment):
        words = map(str, [bench.programs / 'bench-commands', count, ':', *self.add(folder)])
        return {'samples_us': json.loads(output_of(words, env=environment))['samples']}


class Tq(Shell):
    def add(self, folder):
        return ['tq', '-q', '-f', f'{folder}/add.tq', 'add', '--', 'true']

    def seconds(self, bench, count, folder, environment):
        store = folder / 'commands.tq'
        output_of([bench.programs / 'bench-fill', store, count])
        us = bench.commands(1, ['tq', '-q', '-f', str(store), 'worker', '-j2', '--drain'])[0][0]
        succeeded = json.loads(output_of(['tq', '-f', store, '--json', 'stats']))['succeeded']
        assert succeeded == count, f'{succeeded} of {count} commands succeeded'
        return us / 1e6


class Gated(Shell):
    """One that runs what it has at once: its first job waits at a FIFO until all have been added."""

    @contextlib.contextmanager
    def queue(self, folder, environment):
        os.mkfifo(folder / 'gate')
        output_of([self.program, 'cat', folder / 'gate'], env=environment)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # it is open already
                os.close(os.open(folder / 'gate', os.O_WRONLY | os.O_NONBLOCK))
            self.end(environment)

    def add(self, folder):
        return [self.program, 'true']

    def seconds(self, bench, count, folder, environment):
        for _ in range(count):
            output_of(self.add(folder), env=environment)
        self.widen(environment)
        start = time.monotonic()
        with open(folder / 'gate', 'w', encoding='ascii'):
            pass
        self.wait(environment)
        seconds = time.monotonic() - start
        until = start + seconds + 5  # the last but one may have been slower than the last
        while self.succeeded(folder, environment) != count + 1:
            assert time.monotonic() < until, f'not all of {count} commands succeeded'
            time.sleep(0.01)
        return seconds


class TaskSpooler(Gated):
    def environment(self, folder, count):
        return {'TS_SOCKET': f'{folder}/socket', 'TMPDIR': folder, 'TS_MAXFINISHED': str(count + 10)}

    def widen(self, environment):
        output_of(['tsp', '-S', '2'], env=environment)

    def wait(self, environment):
        output_of(['tsp', '-w'], env=environment)  # for the last that was added

    def succeeded(self, folder, environment):
        lines = output_of(['tsp'], env=environment).splitlines()
        return sum(line.split()[1] == 'finished' and line.split()[3] == '0' for line in lines[1:])

    def end(self, environment):
        output_of(['tsp', '-K'], env=environment)


class Nq(Gated):
    def environment(self, folder, count):
        return {'NQDIR': folder}

    def widen(self, environment):
        pass  # it has one slot

    def wait(self, environment):
        output_of(['nq', '-w'], env=environment)

    def succeeded(self, folder, environment):
        return sum('exited with status 0' in log.read_text() for log in folder.glob(',*'))

    def end(self, environment):
        self.wait(environment)


SHELL_SYSTEMS = {
    'tq': Tq('tq', 'D'),
    'posix_spawn': Shell('bench-bare', '-', '{bench}/bench-bare {count} 2 true'),
    'xargs': Shell('xargs', '-', 'seq {count} | xargs -P2 -n1 true'),
    'GNU parallel': Shell('parallel', '-', 'seq {count} | parallel -j2 true', share=0.2),
    'task-spooler': TaskSpooler('tsp', 'M', share=0.5),  # it takes no more than 1,000
    'nq': Nq('nq', 'R', share=0.2),
}
