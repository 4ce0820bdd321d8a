#!/usr/bin/env python3
"""Does what a document says, and holds it to what it shows.

usage: readme.py [--write] [--bin FOLDER]... [--dev FILE] [--build FOLDER] [--cxx COMMAND] DOCUMENT

Blocks of these kinds are understood; any other is a fault:

  ```console     `$ ` begins a command, `> ` goes on with it, the rest is what it prints. All of a document's are one
                 shell session in a new folder, which is its home, and printed as ~. A command that fails must be
                 followed by `echo $?`.
  ```cpp NAME    written to that folder as NAME, for the commands that follow
  ```cpp global  ```cpp body: parts of one program, outside and inside of its main(); it is compiled and run
  ```sh          what cannot be run here: each line must be a known command
  ```text        nothing to do

Times, durations, sizes and numbers of processes, events and records may differ; `...` stands for anything. With
--write, what has changed is written into the document.
"""

import argparse
import difflib
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

# What differs from run to run, and what is compared in its place. Blanks are one: columns are as wide as what they hold.
VOLATILE = [
    (r'\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?( +\d+\b)?', 'TIME'),  # and an event's number
    (r'\b\d\d:\d\d(:\d\d(\.\d+)?)?\b', 'TIME'),
    (r'\b(\d+(\.\d+)? ?(us|ms|s|m|h|d))+\b', 'DURATION'),
    (r'\b\d+(\.\d+)? ?([kKMG]i?)?B\b', 'SIZE'),
    (r'\bpid \d+', 'pid PID'),
    (r'\b\d+ records', 'N records'),
    (r'\s+', ' '),
]
COMMAND_SECONDS = 60


class Block(NamedTuple):
    line: int  # of the first line inside
    kind: str
    rest: str
    lines: list


class Command(NamedTuple):
    line: int
    text: str
    output: list
    output_line: int


def blocks_of(text):
    blocks, fence = [], None
    for number, line in enumerate(text.split('\n'), 1):
        if not line.startswith('```'):
            if fence:
                fence.lines.append(line)
        elif fence:
            blocks.append(fence)
            fence = None
        else:
            kind, _, rest = line[3:].strip().partition(' ')
            fence = Block(number + 1, kind, rest, [])
    return blocks


def commands_of(block):
    commands = []
    for number, line in enumerate(block.lines, block.line):
        if line.startswith('$ '):
            commands.append(Command(number, line[2:], [], number + 1))
        elif not commands:
            raise ValueError(f'line {number}: a console block begins with a command')
        elif line.startswith('> ') and not commands[-1].output:
            last = commands[-1]
            commands[-1] = last._replace(text=last.text + '\n' + line[2:], output_line=number + 1)
        else:
            commands[-1].output.append(line)
    return commands


class Session:
    """One shell that runs one command after the other."""

    def __init__(self, folder, environment):
        self.status = 0
        self.folder = folder
        self.shell = subprocess.Popen(
            ['bash', '--noprofile', '--norc'], cwd=folder, env=environment, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    def run(self, command):
        """The lines that it printed; its exit status is in `status`."""
        text = f'(exit {self.status})\n{{ {command}\n}} </dev/null\nprintf "\\x1e%d\\n" $?\n'
        self.shell.stdin.write(text.encode())
        self.shell.stdin.flush()
        output = b''
        deadline = time.monotonic() + COMMAND_SECONDS
        while not (end := re.search(rb'\x1e(\d+)\n', output)):
            left = deadline - time.monotonic()
            ready = select.select([self.shell.stdout], [], [], max(0, left))[0]
            piece = os.read(self.shell.stdout.fileno(), 65536) if ready else b''
            if not piece:
                raise TimeoutError(f'no end after {COMMAND_SECONDS} s; so far: {output.decode(errors="replace")}')
            output += piece
        self.status = int(end[1])
        text = (output[:end.start()] + output[end.end():]).decode(errors='replace')
        text = re.sub(r'^bash: line .* (Killed|Terminated) .*\n', '', text, flags=re.MULTILINE)  # its own remark
        return text.replace(str(self.folder), '~').rstrip('\n').split('\n')

    def close(self):
        os.killpg(self.shell.pid, signal.SIGTERM)  # workers in the background, too
        self.shell.wait()


def plain(lines):
    """The lines without what differs from run to run."""
    result = []
    for line in lines:
        for pattern, word in VOLATILE:
            line = re.sub(pattern, word, line)
        result.append(line.strip())
    while result and not result[-1]:
        result.pop()
    return result


def matches(expected, actual):
    pattern = ''
    for line in plain(expected):
        if line == '...':
            pattern += r'(?:.*\n)*?'
        else:
            pattern += '.*'.join(re.escape(part) for part in line.split('...')) + '\n'
    return re.fullmatch(pattern, ''.join(line + '\n' for line in plain(actual))) is not None


class Document:
    def __init__(self, path, arguments, folder):
        self.path, self.arguments, self.folder = path, arguments, folder
        self.text = path.read_text(encoding='utf-8')
        self.faults = []
        self.cases = 0
        self.changes = []  # (first line, lines it had, lines now)

    def fault(self, line, text):
        self.faults.append(f'{self.path.name}:{line}: {text}')

    def check(self):
        home = self.folder / 'home'
        home.mkdir()
        session = Session(home, self.environment(home))
        global_lines, body_lines = [], []
        try:
            for block in blocks_of(self.text):
                if block.kind == 'console':
                    self.check_console(session, commands_of(block))
                elif block.kind == 'cpp' and block.rest in ('global', 'body'):
                    (global_lines if block.rest == 'global' else body_lines).extend(
                        [f'#line {block.line} "{self.path.name}"'] + block.lines)
                elif block.kind == 'cpp' and block.rest:
                    (home / block.rest).write_text('\n'.join(block.lines) + '\n')
                elif block.kind == 'sh':
                    self.check_words(block)
                elif block.kind != 'text':
                    self.fault(block.line - 1, f'a block of a kind that no test knows: {block.kind} {block.rest}')
            if body_lines:
                self.check_program(session, home, global_lines + ['int main() {'] + body_lines + ['}'])
        except (TimeoutError, OSError, ValueError) as error:
            self.fault(0, str(error))
        finally:
            session.close()
        self.check_links()
        self.check_verbs(home)

    def environment(self, home):
        """PATH with the programs under test, and pkg-config told of the library, as it would be installed."""
        shims = self.folder / 'bin'
        shims.mkdir()
        environment = {'HOME': str(home), 'LANG': 'C.UTF-8', 'TERM': 'dumb', 'TZ': 'UTC', 'TMPDIR': str(self.folder)}
        for name in ('ASAN_OPTIONS', 'UBSAN_OPTIONS', 'TSAN_OPTIONS'):
            environment.update({name: os.environ[name]} if name in os.environ else {})
        if self.arguments.cxx:
            (shims / 'g++').write_text(f'#!/bin/sh\nexec {self.arguments.cxx} "$@"\n')
            (shims / 'g++').chmod(0o755)
        if self.arguments.build:
            root = self.folder / 'root'
            install = ['meson', 'install', '-C', self.arguments.build, '--no-rebuild', '--quiet', '--destdir', root]
            subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
            prefix = next(root.rglob('include/tq')).parent.parent
            shutil.copytree(prefix / 'bin', shims, dirs_exist_ok=True)
            environment['PKG_CONFIG_SYSROOT_DIR'] = str(root)
            environment['PKG_CONFIG_PATH'] = str(next(prefix.rglob('tq.pc')).parent)
        environment['PATH'] = ':'.join([str(shims), *self.arguments.bin, os.environ['PATH']])
        return environment

    def check_console(self, session, commands):
        for command, following in zip(commands, commands[1:] + [None]):
            self.cases += 1
            actual = session.run(command.text)
            if not matches(command.output, actual):
                # What is still as it was keeps the old times and sizes, in the diff and in the document.
                shown, printed = plain(command.output), plain(actual)
                differences = difflib.unified_diff(shown, printed, 'shown', 'printed', lineterm='')
                self.fault(command.line, f'$ {command.text}\n' + '\n'.join(differences))
                self.changes.append((command.output_line, len(command.output), actual if actual != [''] else []))
            if session.status != 0 and not (following and following.text.startswith('echo $?')):
                self.fault(command.line, f'$ {command.text}\nexited with {session.status}:\n' + '\n'.join(actual))

    def check_program(self, session, home, lines):
        self.cases += 1
        (home / 'tour.cc').write_text('\n'.join(lines) + '\n')
        output = session.run('g++ -std=c++20 tour.cc -o tour $(pkg-config --cflags --libs tq) && ./tour')
        if session.status != 0:
            self.fault(0, 'the program of the cpp blocks failed:\n' + '\n'.join(output))

    def check_words(self, block):
        """Lines that are not run: do the programs know these words?"""
        usage = subprocess.run([self.arguments.dev, 'help'], check=True, capture_output=True, text=True).stdout
        for number, line in enumerate(block.lines, block.line):
            self.cases += 1
            words = shlex.split(line, comments=True)
            if words[:1] == ['./dev']:
                known = re.search(rf'^  {words[1]}\b', usage, re.MULTILINE) and all(word in usage for word in words[2:])
            else:
                known = words[:2] in (['git', 'clone'], ['meson', 'install']) or words[:1] in (['cd'], [])
            if not known:
                self.fault(number, f'a command that no test knows: {line}')

    def check_links(self):
        for match in re.finditer(r'\]\(([^)#:]+)(#[^)]*)?\)', self.text):
            self.cases += 1
            if not (self.path.parent / match[1]).exists():
                self.fault(self.text.count('\n', 0, match.start()) + 1, f'there is no {match[1]}')

    def check_verbs(self, home):
        """Every `tq VERB` in running text is one of the command's."""
        prose = re.sub(r'^```.*?^```', '', self.text, flags=re.MULTILINE | re.DOTALL)
        environment = self.environment_of_verbs(home)
        for verb in sorted(set(re.findall(r'`tq ([a-z]+)', prose))):
            self.cases += 1
            help_text = subprocess.run(['tq', verb, '--help'], env=environment, capture_output=True, check=False)
            if help_text.returncode != 0:
                self.fault(0, f'tq knows no `{verb}`')

    def environment_of_verbs(self, home):
        path = ':'.join([str(self.folder / 'bin'), *self.arguments.bin, os.environ['PATH']])
        return {**os.environ, 'HOME': str(home), 'PATH': path}

    def write(self):
        lines = self.text.split('\n')
        for first, count, now in reversed(self.changes):
            lines[first - 1:first - 1 + count] = now
        self.path.write_text('\n'.join(lines), encoding='utf-8')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('--write', action='store_true', help='write what is printed now into the document')
    parser.add_argument('--bin', action='append', default=[], help='a folder of programs that the document calls')
    parser.add_argument('--dev', help='the script `dev`, whose words an sh block may use')
    parser.add_argument('--build', help='a build folder, to be installed for the document')
    parser.add_argument('--cxx', help='the compiler that is meant by g++, with options')
    parser.add_argument('document', type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix='tq-readme-') as folder:
        document = Document(arguments.document, arguments, Path(folder))
        document.check()
    if arguments.write:
        document.write()
    for fault in document.faults:
        print(fault, end='\n\n')
    failed = min(len(document.faults), document.cases)
    print(f'  {document.cases - failed} test cases out of {document.cases} passed')
    if failed:
        print(f'  {failed} test cases out of {document.cases} failed')
    return bool(document.faults)


if __name__ == '__main__':
    sys.exit(main())
