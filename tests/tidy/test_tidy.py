#!/usr/bin/env python3
"""Tests of tidy.py and headers.py on small trees, each with one fault that must be found."""

import contextlib
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True  # leaves nothing among the sources
import headers
import tidy

CLEAN = {
    'include/tq/error.hpp': '#include <string>\n',
    'include/tq/types.hpp': '#include <chrono>\n',
    'include/tq/queue.hpp': '#include <tq/types.hpp>\n',
    'include/tq/typed.hpp': '#include <tq/queue.hpp>\n#include <cereal/cereal.hpp>\n',
    'src/base/text.hpp': '#include <tq/error.hpp>\n#include <fmt/format.h>\n',
    'src/guard/guard.hpp': '#include <sys/wait.h>\n',
    'src/store/store.hpp': '#include "base/text.hpp"\n#include <lmdb.h>\n',
    'src/model/job.hpp': '#include "base/text.hpp"\n#include <cereal/cereal.hpp>\n',
    'src/loop/loop.hpp': '#include "guard/guard.hpp"\n#include <uv.h>\n',
    'src/engine/engine.hpp': '#include "model/job.hpp"\n#include "store/store.hpp"\n',
    'src/queue/queue.hpp': '#include "engine/engine.hpp"\n#include "loop/loop.hpp"\n#include <tq/queue.hpp>\n',
    'src/worker/worker.hpp': '#include "queue/queue.hpp"\n',
    'src/cli/cli.hpp': '#include "model/job.hpp"\n#include <tq/queue.hpp>\n#include <CLI/CLI.hpp>\n',
    'src/main.cc': '#include "cli/cli.hpp"\n',
    'examples/embed.cc': '#include <tq/queue.hpp>\n',
    'tests/base/text.cc': '#include <boost/test/unit_test.hpp>\n',
}


class TreeTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for path, text in CLEAN.items():
            self.write(path, text)

    def write(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding='utf-8')

    def add(self, path, line):
        self.write(path, CLEAN.get(path, '') + line + '\n')


class FloorsAndWalls(TreeTest):
    def check_found(self, path, line, *words):
        """Adds a line to a file of the clean tree; the one complaint must name the file, the line and the words."""
        self.add(path, line)
        complaints = tidy.check_includes(self.root)
        self.assertEqual(len(complaints), 1, complaints)
        where = f'{path}:{CLEAN.get(path, "").count(chr(10)) + 1}: '
        self.assertTrue(complaints[0].startswith(where), complaints)
        for word in words:
            self.assertIn(word, complaints[0])

    def test_a_clean_tree_passes(self):
        self.assertEqual(tidy.check_includes(self.root) + tidy.check_cycles(self.root), [])

    def test_an_include_of_a_higher_floor_is_found(self):
        self.check_found('src/model/job.hpp', '#include "worker/worker.hpp"', 'model may not include worker')

    def test_an_include_of_a_sibling_is_found(self):
        self.check_found('src/loop/loop.hpp', '#include "store/store.hpp"', 'loop may not include store')

    def test_the_engine_does_not_see_the_loop(self):
        self.check_found('src/engine/engine.hpp', '#include "loop/loop.hpp"', 'engine may not include loop')

    def test_the_guard_includes_nothing_of_ours(self):
        self.check_found('src/guard/guard.hpp', '#include <tq/error.hpp>', 'guard may not include plain')

    def test_the_command_line_does_not_see_the_engine(self):
        self.check_found('src/cli/cli.hpp', '#include "engine/engine.hpp"', 'cli may not include engine')

    def test_the_contract_is_for_the_queue_and_above(self):
        self.check_found('src/engine/engine.hpp', '#include <tq/queue.hpp>', 'engine may not include contract')

    def test_a_public_header_does_not_include_the_inside(self):
        self.check_found('include/tq/queue.hpp', '#include "base/text.hpp"', 'there is no include/tq/base/text.hpp')

    def test_plain_types_do_not_include_the_contract(self):
        self.check_found('include/tq/types.hpp', '#include <tq/queue.hpp>', 'plain may not include contract')

    def test_an_example_sees_the_contract_alone(self):
        self.check_found('examples/embed.cc', '#include <fmt/format.h>', '<fmt/format.h>')

    def test_a_folder_without_a_floor_is_found(self):
        self.check_found('src/util/more.hpp', '', '"util" has no place')

    def test_a_path_that_does_not_begin_in_src_is_found(self):
        self.check_found('src/base/more.hpp', '#include "text.hpp"', 'by its path from src')

    def test_every_wall_holds(self):
        for header, path in [('lmdb.h', 'src/engine/engine.hpp'), ('uv.h', 'src/worker/worker.hpp'),
                             ('cereal/archives/json.hpp', 'src/engine/engine.hpp'),
                             ('cereal/archives/json.hpp', 'include/tq/queue.hpp'), ('CLI/CLI.hpp', 'src/main.cc'),
                             ('nlohmann/json.hpp', 'src/model/job.hpp'), ('fmt/format.h', 'include/tq/error.hpp'),
                             ('boost/test/unit_test.hpp', 'src/base/text.hpp')]:
            with self.subTest(header=header, path=path):
                self.check_found(path, f'#include <{header}>', header, 'only')
                self.write(path, CLEAN[path])

    def test_a_third_party_without_a_wall_is_found(self):
        self.check_found('src/base/text.hpp', '#include <yaml-cpp/yaml.h>', 'without a wall')

    def test_a_public_header_includes_only_the_library(self):
        self.check_found('include/tq/queue.hpp', '#include <unistd.h>', 'not of the C++ library')

    def test_an_include_in_a_comment_is_none(self):
        self.add('src/base/text.hpp', '// #include <uv.h>\n/*\n#include <lmdb.h>\n*/')
        self.assertEqual(tidy.check_includes(self.root), [])

    def test_a_cycle_is_found(self):
        self.write('src/base/a.hpp', '#include "base/b.hpp"\n')
        self.write('src/base/b.hpp', '#include "base/c.hpp"\n')
        self.write('src/base/c.hpp', '#include "base/a.hpp"\n')
        complaints = tidy.check_cycles(self.root)
        self.assertEqual(len(complaints), 1, complaints)
        self.assertIn('src/base/a.hpp > src/base/b.hpp > src/base/c.hpp > src/base/a.hpp', complaints[0])

    def test_a_fault_fails_the_run_and_a_measure_does_not(self):
        self.write('src/base/long.cc', '\n' * 5000)
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            self.assertFalse(tidy.main(['--report', str(self.root)]))
            self.add('src/base/text.hpp', '#include <uv.h>')
            self.assertTrue(tidy.main([str(self.root)]))
        self.assertIn('src/base/long.cc (5000)', output.getvalue())


class Measures(TreeTest):
    def source(self, text):
        self.write('src/base/measured.cc', text)
        return tidy.Source(self.root, 'src/base/measured.cc')

    def lengths(self, text):
        return [(function.line, function.lines) for function in tidy.functions(self.source(text))]

    def test_functions_are_measured_from_head_to_brace(self):
        self.assertEqual(self.lengths('int f() { return 1; }\n\nint g(int a,\n      int b) {\n  return a + b;\n}\n'),
                         [(1, 1), (3, 4)])

    def test_functions_in_classes_and_namespaces_are_found(self):
        text = 'namespace a {\nclass B : public C {\n public:\n  void f() const {\n  }\n  int x_ = 0;\n};\n}\n'
        self.assertEqual(self.lengths(text), [(4, 2)])

    def test_what_is_inside_a_function_belongs_to_it(self):
        text = 'void f() {\n  for (;;) {\n    auto g = [] { return 1; };\n  }\n}\nvoid h() {\n}\n'
        self.assertEqual(self.lengths(text), [(1, 5), (6, 2)])

    def test_values_in_braces_are_no_functions(self):
        self.assertEqual(self.lengths('int a[] = {1, 2};\nstd::string s{"x"};\nint f() {\n}\n'), [(3, 2)])

    def test_a_constructor_with_braces_in_its_list_is_one_function(self):
        self.assertEqual(self.lengths('A::A(int a)\n    : a_{a}, b_{2} {\n  run();\n}\n'), [(1, 4)])

    def test_braces_in_text_and_comments_do_not_count(self):
        self.assertEqual(self.lengths('void f() {  // {\n  g("{", \'{\', R"({{)", 1\'000);\n}\nvoid h() {}\n'),
                         [(1, 3), (4, 1)])

    def test_lines_of_comment_are_counted(self):
        self.assertEqual(tidy.comment_share([self.source('// a\nint b;  // c\n\n/* d\n   e */\n"// f";\n')]), 3 / 5)

    def test_sleeps_and_clock_reads_are_found(self):
        text = ('std::this_thread::sleep_for(1s);\nauto now = std::chrono::system_clock::now();\n'
                'run("sleep 1; sleep(1)");  // sleep(1)\nusing Time = std::chrono::system_clock::time_point;\n')
        self.assertEqual(tidy.clocks_and_sleeps(self.source(text)), ['src/base/measured.cc:1', 'src/base/measured.cc:2'])


class Headers(TreeTest):
    def outcome(self):
        build = self.root / 'build'
        build.mkdir()
        call = {'directory': str(build), 'file': '../src/base/text.cc',
                'command': 'c++ -I../src -I../include -std=c++20 -MD -MQ x -MF y -o z -c ../src/base/text.cc'}
        (build / 'compile_commands.json').write_text(json.dumps([call]), encoding='utf-8')
        for path in CLEAN:
            self.write(path, '')
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            failed = headers.main([str(self.root), str(build)])
        return failed, output.getvalue()

    def test_headers_that_bring_what_they_need_pass(self):
        self.write('src/base/whole.hpp', '#pragma once\n#include <string>\nstruct Whole { std::string name; };\n')
        self.assertEqual(self.outcome()[0], False)

    def test_a_header_that_leans_on_others_is_found(self):
        self.write('src/base/leaning.hpp', '#pragma once\nstruct Leaning { std::string name; };\n')
        failed, output = self.outcome()
        self.assertTrue(failed)
        self.assertIn('src/base/leaning.hpp does not compile alone', output)

    def test_a_header_without_a_guard_is_found(self):
        self.write('src/base/twice.hpp', 'struct Twice {};\n')
        self.assertTrue(self.outcome()[0])


if __name__ == '__main__':
    result = unittest.main(exit=False).result
    failed = len(result.failures) + len(result.errors)
    print(f'  {result.testsRun - failed} test cases out of {result.testsRun} passed')
    if failed:
        print(f'  {failed} test cases out of {result.testsRun} failed')
    sys.exit(not result.wasSuccessful())
