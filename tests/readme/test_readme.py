#!/usr/bin/env python3
"""Tests of readme.py on small documents, each with one fault that must be found."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path


class DocumentTest(unittest.TestCase):
    def check(self, *lines, write=False):
        """What readme.py says of a document of these lines, and what the document is afterwards."""
        with tempfile.TemporaryDirectory() as folder:
            document = Path(folder) / 'page.md'
            document.write_text('\n'.join(lines) + '\n', encoding='utf-8')
            command = [sys.executable, Path(__file__).with_name('readme.py'), *(['--write'] if write else []), document]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual(done.stderr, '')
            self.after = document.read_text(encoding='utf-8')
            return done.returncode, done.stdout

    def console(self, *lines, **options):
        return self.check('```console', *lines, '```', **options)

    def test_what_is_shown_as_it_is_printed_passes(self):
        self.assertEqual(self.console('$ echo one; echo two', 'one', 'two', '$ true'),
                         (0, '  2 test cases out of 2 passed\n'))

    def test_commands_share_a_session(self):
        self.assertEqual(self.console('$ cd /; x=5', '$ pwd; echo $x', '/', '5')[0], 0)

    def test_a_command_may_go_on_in_the_next_line(self):
        self.assertEqual(self.console('$ for i in a b; do', '> echo $i; done', 'a', 'b')[0], 0)

    def test_other_output_is_found_with_its_line(self):
        code, output = self.console('$ true', '$ echo printed', 'shown')
        self.assertEqual(code, 1)
        self.assertIn('page.md:3: $ echo printed', output)
        self.assertIn('-shown\n+printed', output)

    def test_missing_output_is_found(self):
        self.assertEqual(self.console('$ true', 'shown')[0], 1)

    def test_output_that_is_not_shown_is_found(self):
        self.assertEqual(self.console('$ echo printed')[0], 1)

    def test_output_before_any_command_is_found(self):
        self.assertEqual(self.console('shown')[0], 1)

    def test_a_failure_must_be_shown(self):
        self.assertEqual(self.console('$ (exit 3)', '$ true')[0], 1)
        self.assertEqual(self.console('$ (exit 3)', '$ echo $?', '3')[0], 0)

    def test_times_and_sizes_may_differ_but_not_what_is_beside_them(self):
        self.assertEqual(self.console('$ echo 2026-01-02T03:04:05.678Z job 7 took 12ms',
                                      '2025-10-12T13:14:15.000Z job 7 took 1m5s')[0], 0)
        self.assertEqual(self.console('$ echo 2026-01-02T03:04:05.678Z job 7 took 12ms',
                                      '2025-10-12T13:14:15.000Z job 8 took 1m5s')[0], 1)

    def test_three_dots_stand_for_anything(self):
        self.assertEqual(self.console('$ seq 9', '1', '...', '9')[0], 0)
        self.assertEqual(self.console('$ echo one two', 'one ...')[0], 0)
        self.assertEqual(self.console('$ seq 9', '1', '...', '8')[0], 1)

    def test_a_kind_of_block_that_nobody_checks_is_found(self):
        self.assertEqual(self.check('```yaml', 'a: b', '```')[0], 1)

    def test_a_link_to_nothing_is_found(self):
        self.assertEqual(self.check('[page](page.md) [web](https://example.org)')[0], 0)
        self.assertEqual(self.check('[page](pages.md)')[0], 1)

    def test_what_has_changed_can_be_written(self):
        self.console('$ echo new', 'old', '$ echo same', 'same', write=True)
        self.assertEqual(self.after, '```console\n$ echo new\nnew\n$ echo same\nsame\n```\n')


if __name__ == '__main__':
    result = unittest.main(exit=False).result
    failed = len(result.failures) + len(result.errors)
    print(f'  {result.testsRun - failed} test cases out of {result.testsRun} passed')
    if failed:
        print(f'  {failed} test cases out of {result.testsRun} failed')
    sys.exit(not result.wasSuccessful())
