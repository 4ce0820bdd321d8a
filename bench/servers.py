"""Servers of peers: each started on loopback with an empty store, for as long as the `with` lasts."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def preloaded(slow_flush):
    """The environment in which each flush takes longer, if a library for that is named."""
    return {**os.environ, **({'LD_PRELOAD': str(slow_flush)} if slow_flush else {})}


@contextlib.contextmanager
def serving(command, port, **options):
    server = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **options)
    try:
        until = time.monotonic() + 20
        while True:
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(('127.0.0.1', port)):
                break
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f'{command[0]} does not serve')
            time.sleep(0.02)
        yield f'127.0.0.1:{port}'
    finally:
        server.terminate()
        server.wait()


class Redis:
    def __init__(self, fsync):
        self.fsync = fsync

    def missing(self):
        return None if shutil.which('redis-server') else 'redis-server is not installed'

    def start(self, folder, slow_flush):
        port = free_port()
        command = ['redis-server', '--port', port, '--bind', '127.0.0.1', '--dir', folder, '--save', '',
                   '--appendonly', 'yes', '--appendfsync', self.fsync, '--maxmemory-policy', 'noeviction']
        return serving(command, port, env=preloaded(slow_flush))


class Beanstalkd:
    def __init__(self, flush):
        self.flush = flush

    def missing(self):
        return None if shutil.which('beanstalkd') else 'beanstalkd is not installed'

    def start(self, folder, slow_flush):
        port = free_port()
        return serving(['beanstalkd', '-l', '127.0.0.1', '-p', port, '-b', folder, self.flush], port,
                       env=preloaded(slow_flush))


class Postgres:
    """With its own defaults: fsync and synchronous_commit are on. It refuses to run as root: then as `postgres`."""

    def __init__(self):
        self.bin = max(Path('/usr/lib/postgresql').glob('*/bin'), default=None)

    def missing(self):
        return None if self.bin else 'postgresql is not installed'

    @contextlib.contextmanager
    def start(self, folder, slow_flush):
        port = free_port()
        account = ['runuser', '-u', 'postgres', '--'] if os.geteuid() == 0 else []
        data = Path(folder) / 'data'
        if account:
            shutil.chown(folder, 'postgres')
        subprocess.run([*account, self.bin / 'initdb', '-D', data, '-A', 'trust', '-U', 'bench', '--no-sync'],
                       check=True, cwd='/', stdout=subprocess.DEVNULL)
        preload = [f'LD_PRELOAD={slow_flush}'] if slow_flush else []
        command = [*account, 'env', *preload, self.bin / 'postgres', '-D', data, '-p', port, '-k', folder,
                   '-c', 'listen_addresses=127.0.0.1']
        with serving(command, port, cwd='/', stderr=subprocess.DEVNULL) as address:
            yield f'postgres://bench@{address}/postgres'
