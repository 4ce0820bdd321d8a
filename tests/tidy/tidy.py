#!/usr/bin/env python3
"""Holds the sources to their floors and walls, and measures them.

usage: tidy.py [--report] ROOT

Complains, and fails, when a file includes what its floor may not see or what stands behind a wall, and when includes
form a cycle. With --report, also prints sizes beside what the house aims at; those never fail.
"""

import re
import sys
from pathlib import Path
from typing import NamedTuple

# What each floor may include besides itself. `plain` is <tq/error.hpp>, <tq/record.hpp> and <tq/types.hpp>, `contract` the rest of
# <tq/...>. A floor that is in no other's set is above it or its sibling.
FLOORS = {
    'plain': set(),
    'contract': {'plain'},
    'base': {'plain'},
    'guard': set(),
    'store': {'plain', 'base'},
    'model': {'plain', 'base'},
    'loop': {'plain', 'base', 'guard'},
    'engine': {'plain', 'base', 'store', 'model'},
    'queue': {'plain', 'contract', 'base', 'guard', 'store', 'model', 'loop', 'engine'},
    'worker': {'plain', 'contract', 'base', 'guard', 'store', 'model', 'loop', 'engine', 'queue'},
    'cli': {'plain', 'contract', 'base', 'model'},  # stands on the contract: that proves it sufficient
    'main': {'plain', 'contract', 'base', 'guard', 'store', 'model', 'loop', 'engine', 'queue', 'worker', 'cli'},
    'example': {'plain', 'contract'},  # what an embedding program sees
}

# Where a third party may be included: the beginning of its headers' names, and of the paths of those who may.
WALLS = {
    'lmdb.h': ['src/store/'],
    'uv.h': ['src/loop/'],
    'uv/': ['src/loop/'],
    'cereal/': ['src/model/', 'include/tq/typed.hpp'],
    'CLI/': ['src/cli/'],
    'nlohmann/': ['src/cli/'],
    'fmt/': ['src/'],
    'boost/': ['tests/'],
}

# First folders of headers that come with the system.
SYSTEM_FOLDERS = {'arpa', 'asm', 'linux', 'net', 'netinet', 'sys'}

CPP_LIBRARY = set('''
    algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes climits
    clocale cmath codecvt compare complex concepts condition_variable coroutine csetjmp csignal cstdarg cstddef cstdint
    cstdio cstdlib cstring ctime cuchar cwchar cwctype deque exception execution filesystem format forward_list fstream
    functional future initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map memory
    memory_resource mutex new numbers numeric optional ostream queue random ranges ratio regex scoped_allocator
    semaphore set shared_mutex source_location span sstream stack stdexcept stop_token streambuf string string_view
    strstream syncstream system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility
    valarray variant vector version
    '''.split())


class Include(NamedTuple):
    line: int
    name: str
    quoted: bool  # "name", not <name>


class Source:
    """A file, by its path from the root."""

    def __init__(self, root, path):
        self.path = path
        self.text = (root / path).read_text(encoding='utf-8')

    def includes(self):
        pattern = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)
        code = blank(self.text, keep_strings=True)
        return [Include(code.count('\n', 0, m.start()) + 1, m[2], m[1] == '"') for m in pattern.finditer(code)]


def read(root, *folders):
    paths = [p for folder in folders for p in sorted((root / folder).rglob('*')) if p.suffix in ('.hpp', '.h', '.cc')]
    return [Source(root, path.relative_to(root).as_posix()) for path in paths]


def floor_of(path):
    if path in ('include/tq/error.hpp', 'include/tq/record.hpp', 'include/tq/types.hpp'):
        return 'plain'
    if path.startswith('include/tq/'):
        return 'contract'
    if path.startswith('examples/'):
        return 'example'
    parts = path.split('/')
    return parts[1] if len(parts) > 2 else Path(parts[1]).stem


def file_of(root, source, include):
    """The file of ours that an include means; None if it is not ours."""
    if include.name.startswith('tq/'):
        return 'include/' + include.name
    if not include.quoted:
        return None
    if source.path.startswith('src/'):
        return 'src/' + include.name
    return (Path(source.path).parent / include.name).as_posix()


def check_includes(root):
    """Complaints about floors and walls."""
    complaints = []
    for source in read(root, 'include', 'src', 'examples'):
        floor = floor_of(source.path)
        if floor not in FLOORS:
            complaints.append(f'{source.path}:1: "{floor}" has no place among the floors of tests/tidy/tidy.py')
            continue
        for include in source.includes():
            problem = problem_of(root, source, floor, include)
            if problem:
                complaints.append(f'{source.path}:{include.line}: {problem}')
    return complaints


def wall_of(include):
    """The paths that may include this third party; None if it is none."""
    return next((paths for start, paths in WALLS.items() if include.name.startswith(start)), None)


def problem_of(root, source, floor, include):
    target = file_of(root, source, include)
    if target:
        if not (root / target).is_file():
            return f'there is no {target}; a file is included by its path from src, as "folder/file.hpp"'
        below = floor_of(target)
        if below != floor and below not in FLOORS[floor]:
            return f'{floor} may not include {below} ({include.name})'
        return None
    wall = wall_of(include)
    if wall is not None:
        if not any(source.path.startswith(start) for start in wall):
            return f'<{include.name}> is for {" and ".join(wall)} only'
        return None
    if floor in ('plain', 'contract') and include.name not in CPP_LIBRARY:
        return f'<{include.name}> is not of the C++ library: a public header includes nothing else'
    if '/' in include.name and include.name.split('/')[0] not in SYSTEM_FOLDERS:
        return f'<{include.name}> is a third party without a wall in tests/tidy/tidy.py'
    return None


def check_cycles(root):
    """Complaints about files that include themselves, by whatever way."""
    sources = {source.path: source for source in read(root, 'include', 'src')}
    complaints, done = [], set()

    def walk(path, way):
        if path in way:
            cycle = way[way.index(path):] + [path]
            complaints.append(f'{path}:1: included by itself: {" > ".join(cycle)}')
        elif path in sources and path not in done:
            for include in sources[path].includes():
                target = file_of(root, sources[path], include)
                if target:
                    walk(target, way + [path])
            done.add(path)

    for path in sources:
        walk(path, [])
    return complaints


# --- measures -----------------------------------------------------------------------------------------------------------


def blank(text, keep_strings=False):
    """The text with comments, and what stands in quotes, made of blanks; line breaks and quotes stay."""
    tokens = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|'
        r"(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])+'", re.DOTALL)

    def blanks(match):
        token = match[0]
        if token[0] == '/':
            return re.sub(r'[^\n]', ' ', token)
        return token if keep_strings else '"' + re.sub(r'[^\n]', ' ', token[1:-1]) + '"'

    return tokens.sub(blanks, text)


def comment_share(sources):
    """The share of lines that hold only a comment in those that are not empty."""
    comments = lines = 0
    for source in sources:
        for before, after in zip(source.text.split('\n'), blank(source.text).split('\n')):
            lines += before.strip() != ''
            comments += before.strip() != '' and after.strip() == ''
    return comments / lines if lines else 0.0


class Function(NamedTuple):
    path: str
    line: int
    lines: int


def functions(source):
    """The functions of a file, by their braces: good enough to measure with, not to compile with."""
    code = re.sub(r'^[ \t]*#(?:\\\n|[^\n])*', lambda m: re.sub(r'[^\n]', ' ', m[0]), blank(source.text),
                  flags=re.MULTILINE)
    found = []
    stack = []  # of what each open brace is, with the place where its head began
    start = 0  # of the statement that is being read, outside of functions
    for match in re.finditer(r'[{};]', code):
        place = match.start()
        inside = any(kind != 'scope' for kind, _ in stack)
        if match[0] == '{':
            kind = 'other' if inside else kind_of(code[start:place])
            stack.append((kind, start))
            if kind == 'scope':
                start = place + 1
        elif match[0] == '}' and stack:
            kind, began = stack.pop()
            if kind == 'function':
                began = re.compile(r'(?:\s|(?:public|private|protected)\s*:)*').match(code, began).end()
                found.append(Function(source.path, code.count('\n', 0, began) + 1, code.count('\n', began, place) + 1))
            if kind != 'other':
                start = place + 1
        elif match[0] == ';' and not inside:
            start = place + 1
    return found


def kind_of(head):
    """What a brace opens, by the words before it: a function, a scope of more declarations, or other (a value)."""
    head = re.sub(r'\b(?:public|private|protected)\s*:', '', head).strip()
    head = re.sub(r'^template\s*<[^()]*?>\s*(?=\w)', '', head)
    if re.match(r'(?:inline\s+)?namespace\b|extern\b\s*"', head):
        return 'scope'
    if re.match(r'(?:class|struct|union|enum)\b', head):
        return 'scope'
    value = head.endswith('=') or head.endswith('requires') or re.search(r'\)[\w\s]*:(?!:).*\w$', head, re.DOTALL)
    return 'function' if ')' in head and not value else 'other'


def clocks_and_sleeps(source):
    """The lines of a test that wait for time to pass or read the wall clock."""
    pattern = (r'\b(?:sleep_for|sleep_until|nanosleep|usleep|sleep|gettimeofday|clock_gettime)\s*\(|'
               r'\b(?:system_clock|steady_clock|high_resolution_clock)::now\b|\btime\((?:nullptr|NULL|0)\)')
    lines = blank(source.text).split('\n')
    return [f'{source.path}:{number}' for number, line in enumerate(lines, 1) if re.search(pattern, line)]


def quantile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0


def line_count(sources):
    return sum(source.text.count('\n') for source in sources)


def print_report(root):
    public, inner, tests = read(root, 'include'), read(root, 'src'), read(root, 'tests')
    sizes = [source.text.count('\n') for source in public + inner]
    lengths = sorted((f for source in public + inner for f in functions(source)), key=lambda f: -f.lines)
    largest = sorted(public + inner, key=lambda source: -source.text.count('\n'))[:3]
    mirrors = {(Path(t.path).parent.name, Path(t.path).stem) for t in tests}
    unmirrored = [s.path for s in inner if s.path.endswith('.cc') and s.path.count('/') == 2
                  and (Path(s.path).parent.name, Path(s.path).stem) not in mirrors]
    waits = [where for source in tests for where in clocks_and_sleeps(source)]
    rows = [
        ('source file lines: median / ninth decile / most', '110 / 350 / 600',
         f'{quantile(sizes, .5)} / {quantile(sizes, .9)} / {quantile(sizes, 1)}'),
        ('function lines: ninth decile / most', '30 / 70',
         f'{quantile([f.lines for f in lengths], .9)} / {quantile([f.lines for f in lengths], 1)}'),
        ('public headers', '12', str(len(public))),
        ('comment share: public headers / src', '40 % / 18 %',
         f'{comment_share(public):.0%} / {comment_share(inner):.0%}'.replace('%', ' %')),
        ('tests to source, lines', '1.0', f'{line_count(tests) / max(1, line_count(public + inner)):.2f}'),
        ('sleeps and clock reads in tests', '0', str(len(waits))),
        ('sources without a test of their name', '0', str(len(unmirrored))),
    ]
    print(f'{"point":50}  {"aim":16}  now')
    for point, aim, now in rows:
        print(f'{point:50}  {aim:16}  {now}')
    print('largest files:', ', '.join(f'{s.path} ({line_count([s])})' for s in largest))
    print('longest functions:', ', '.join(f'{f.path}:{f.line} ({f.lines})' for f in lengths[:5]))
    if waits:
        print('sleeps and clock reads:', ', '.join(waits))
    if unmirrored:
        print('without a test of their name:', ', '.join(unmirrored))


def main(arguments):
    report = arguments[:1] == ['--report']
    if len(arguments) != 1 + report:
        sys.exit(__doc__)
    root = Path(arguments[-1])
    complaints = check_includes(root) + check_cycles(root)
    for complaint in complaints:
        print(complaint)
    if report:
        print_report(root)
    return bool(complaints)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
