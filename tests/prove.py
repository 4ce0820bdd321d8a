#!/usr/bin/env python3
"""Attacks every promise, and writes what came of it into tests/README.md.

usage: prove.py [--short] [--write] [--seed N] BUILD [NAME...]

A proof is a program of the build that prints a line `proved: FIGURES`. They follow each other, since some take all processors and
some measure time. The long form takes hours; --short is what a change
has to pass, in minutes, and writes nothing unless --write is given. The seed is printed, and goes to every proof.
"""

import argparse
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

README = Path(__file__).with_name('README.md')
TABLE = re.compile(r'(<!-- figures -->\n).*?(<!-- /figures -->)', re.DOTALL)


class Proof(NamedTuple):
    name: str
    program: list  # in the build, or a script beside this one that gets the folder of the build
    short: int  # rounds, of whatever it counts; 0 may mean all there are
    long: int
    in_memory: bool = False  # nothing in it is about the disk


PROOFS = [
    Proof('kill', ['tests/crash/test-crash', '--run_test=kill'], 1000, 100_000),
    Proof('simulation', ['tests/engine/test-simulation', '--run_test=simulation/the_engine*'], 1_000_000, 100_000_000,
          in_memory=True),
    Proof('power-cut', ['tests/power_cut/test-power-cut', '--run_test=power_cut/no_power*'], 50_000, 1_000_000),
    Proof('real-power-cut', ['tests/power_cut/test-loop-device'], 20, 2000),
    Proof('failing-calls', ['tests/failing_calls/test-failing-calls'], 2000, 0, in_memory=True),
    Proof('full-disk', ['tests/failing_calls/test-full-disk'], 1, 50),
    Proof('file-size', ['tests/failing_calls/test-file-size'], 20, 1000, in_memory=True),
    Proof('rot', ['tests/rot/test-rot'], 100_000, 1_000_000, in_memory=True),
    Proof('time', ['tests/time/test-time'], 300, 30_000),
    Proof('fuzz', ['fuzz/run.py'], 60, 3600),
]
SKIPPED = 77


def command_of(proof, build):
    program = proof.program[0]
    if program.endswith('.py'):
        return [Path(__file__).with_name('fuzz') / 'run.py', build.parent / 'fuzz']
    return [build / program, *proof.program[1:]]


def run(proof, arguments):
    """Returns whether it held, and what it said about itself."""
    build = Path(arguments.build).resolve()
    rounds = proof.short if arguments.short else proof.long
    environment = dict(os.environ, TQ_TEST_SEED=str(arguments.seed), TQ_TEST_ROUNDS=str(rounds),
                       TQ_BIN=str(build / 'src/tq'), BOOST_TEST_CATCH_SYSTEM_ERRORS='no')
    if proof.in_memory and Path('/dev/shm').is_dir():
        environment['TMPDIR'] = '/dev/shm'
    began = time.monotonic()
    done = subprocess.run(command_of(proof, build), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors='replace', check=False)
    took = time.monotonic() - began
    said = '; '.join(re.findall(r'^proved: (.+)$', done.stdout, re.MULTILINE))
    if done.returncode == SKIPPED:
        said = f'not on this machine: {done.stdout.strip().splitlines()[-1]}'
    held = done.returncode in (0, SKIPPED) and said != ''
    print(f'{proof.name}: {said if held else "FAILED"} ({took:.0f} s)', flush=True)
    if not held:
        print(done.stdout[-20_000:], flush=True)
    return held, said


def write_table(proofs, results, arguments):
    commit = subprocess.run(['git', 'rev-parse', '--short', 'HEAD'], stdout=subprocess.PIPE, text=True, check=False)
    form = 'short' if arguments.short else 'long'
    old = dict(re.findall(r'^\| `\./dev prove ([\w-]+)` \| (.+) \|$', README.read_text(), re.MULTILINE))
    lines = ['| again | figures |', '| --- | --- |']
    for proof in PROOFS:
        held, said = results.get(proof.name, (None, ''))
        row = f'{said} ({form} form, {commit.stdout.strip()})' if held else old.get(proof.name, 'not yet')
        lines.append(f'| `./dev prove {proof.name}` | {row} |')
    README.write_text(TABLE.sub(lambda match: match[1] + '\n'.join(lines) + '\n' + match[2], README.read_text()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--short', action='store_true')
    parser.add_argument('--write', action='store_true')
    parser.add_argument('--seed', type=int, default=random.SystemRandom().randrange(1, 1_000_000))
    parser.add_argument('build')
    parser.add_argument('names', nargs='*')
    arguments = parser.parse_intermixed_args()
    known = {proof.name for proof in PROOFS}
    for name in arguments.names:
        if name not in known:
            sys.exit(f"prove: there is no proof '{name}': {', '.join(sorted(known))}")
    proofs = [proof for proof in PROOFS if not arguments.names or proof.name in arguments.names]
    print(f'seed {arguments.seed}', flush=True)
    results = {proof.name: run(proof, arguments) for proof in proofs}
    if arguments.write or not arguments.short:
        write_table(proofs, results, arguments)
    passed = sum(held for held, _ in results.values())
    print(f'{passed} passed, {len(results) - passed} failed')
    sys.exit(passed != len(results))


if __name__ == '__main__':
    main()
