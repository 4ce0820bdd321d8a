#!/usr/bin/env python3
"""Compiles each header of ours alone, twice in a row: it must bring what it needs, once.

usage: headers.py ROOT BUILD

The flags are those with which BUILD compiles a source of the header's folder, so it needs Meson's compile_commands.json.
"""

import json
import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def flags(command):
    """A compiler call without its input and outputs."""
    words = shlex.split(command['command'])
    kept, skip = [], False
    for word in words:
        if skip or word in ('-c', '-MD', '-fdiagnostics-color=always', command['file']) or Path(word).name == 'ccache':
            skip = False
        elif word in ('-o', '-MQ', '-MF'):
            skip = True
        else:
            kept.append(word)
    return kept


def calls(root, build):
    """For each header, the call that compiles it."""
    commands = json.loads((build / 'compile_commands.json').read_text(encoding='utf-8'))
    by_folder = {}
    for command in commands:
        by_folder.setdefault((Path(command['directory']) / command['file']).resolve().parent, flags(command))
    some_source = next((call for folder, call in by_folder.items() if root / 'src' in folder.parents), None)
    headers = sorted(p for folder in ('include', 'src') for p in (root / folder).rglob('*.hpp'))
    return {header: by_folder.get(header.parent, some_source) for header in headers}


def fault(header, call, build):
    """What the compiler says against the header; empty if nothing."""
    unit = f'#include "{header}"\n' * 2
    done = subprocess.run([*call, '-fsyntax-only', '-x', 'c++', '-'], input=unit, cwd=build, capture_output=True,
                          text=True, check=False)
    return done.stderr if done.returncode else ''


def main(arguments):
    if len(arguments) != 2:
        sys.exit(__doc__)
    root, build = (Path(argument).resolve() for argument in arguments)
    by_header = calls(root, build)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = list(pool.map(lambda item: fault(*item, build), by_header.items()))
    for header, text in zip(by_header, faults):
        if text:
            print(f'{header.relative_to(root)} does not compile alone:\n{text}')
    passed = faults.count('')
    print(f'  {passed} test cases out of {len(faults)} passed')
    if passed < len(faults):
        print(f'  {len(faults) - passed} test cases out of {len(faults)} failed')
    return passed < len(faults)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
