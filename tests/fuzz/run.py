#!/usr/bin/env python3
"""Runs every target of libFuzzer for a while, two at a time.

usage: run.py BUILD_DIRECTORY [TARGET...]

TQ_TEST_ROUNDS: seconds for each target (60); TQ_TEST_SEED: the seed (1). What a target finds is left beside the directory of
this script's corpus copies, and printed: it belongs into tests/fuzz/corpus/TARGET when it has been mended.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CORPUS = Path(__file__).parent / 'corpus'
MOST_BYTES = {'pages': 128 * 1024}  # of an input; else 4,096
MOST_MEGABYTES = 512


def fuzz(target, program, directory, seconds, seed):
    """Returns what libFuzzer printed, and whether it found nothing."""
    corpus = directory / target
    shutil.copytree(CORPUS / target, corpus)
    command = [
        program, f'-seed={seed}', f'-max_total_time={seconds}', f'-rss_limit_mb={MOST_MEGABYTES}', '-timeout=10',
        f'-max_len={MOST_BYTES.get(target, 4096)}', f'-artifact_prefix={directory}/found-{target}-',
        '-print_final_stats=1', str(corpus)
    ]
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace',
                           check=False)
    return ended.stdout, ended.returncode == 0


def number(pattern, text):
    found = re.search(pattern, text)
    return int(found[1]) if found else 0


def main():
    build = Path(sys.argv[1])
    targets = sys.argv[2:] or sorted(path.name for path in CORPUS.iterdir())
    seconds = int(os.environ.get('TQ_TEST_ROUNDS', '60'))
    seed = int(os.environ.get('TQ_TEST_SEED', '1'))
    parent = '/dev/shm' if os.path.isdir('/dev/shm') else None
    directory = Path(tempfile.mkdtemp(prefix='tq-fuzz-', dir=parent))
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(fuzz, target, build / 'tests/fuzz' / f'fuzz-{target}', directory, seconds, seed)
                for target in targets]
        results = dict(zip(targets, (run.result() for run in runs)))
    bad = [target for target, (_, good) in results.items() if not good]
    for target in bad:
        print(f'{target}: seed {seed}:\n' + results[target][0][-6000:])
    inputs = sum(number(r'number_of_executed_units: +(\d+)', text) for text, _ in results.values())
    memory = max(number(r'peak_rss_mb: +(\d+)', text) for text, _ in results.values())
    if bad:
        sys.exit(f'{", ".join(bad)}: something was found: see {directory}')
    shutil.rmtree(directory)
    print(f'proved: {len(targets)} targets fuzzed for {len(targets) * seconds / 60:.1f} minutes (seed {seed}), '
          f'{inputs / 1e6:.1f} million inputs: 0 findings, at most {memory} MB')


if __name__ == '__main__':
    main()
