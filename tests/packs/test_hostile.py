"""Hostile input gets a problem, never an exception, and costs little: counted in bytes, not in seconds."""

import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.packs.parsing import MAX_WORKBOOK_BYTES, MAX_YAML_BYTES, parse_file
from tests.packs.documents import THOROUGH
from tests.packs.examples import read
from tests.packs.workbooks import part, with_part, workbook

VALID_YAML = b"metadata: {requestor: a@b.example, project_name: p, business_line: l}\nshare: [{name: s}]\n"
SCRAPS = [
    *"&*!?:,[]{}'\"\n\t#%~|>-",
    "metadata: ",
    "- name: x\n",
    "&a ",
    "*a ",
    "!!t ",
    "---\n",
    "...\n",
    "1e3",
    "\0",
    "\ufeff",
]
BOOK = workbook()
YAML_SCRAPS = st.lists(st.sampled_from(SCRAPS), max_size=60).map("".join)


@THOROUGH
@given(st.binary(max_size=400), st.sampled_from(["a.yaml", "a.xlsx", "tenants.yaml"]))
@example(b"\xef\xbb\xbf", "a.yaml")
@example(b"PK\x05\x06" + b"\xff" * 18, "a.xlsx")
def test_no_bytes_make_the_reading_fail(data: bytes, path: str) -> None:
    desired = read({path: data})
    assert desired.packs == {}
    assert desired.problems or (path == "tenants.yaml" and not data.strip())


@THOROUGH
@given(YAML_SCRAPS)
def test_no_scraps_of_yaml_make_the_reading_fail(text: str) -> None:
    assert parse_file("a.yaml", text.encode()).problems


@THOROUGH
@given(st.integers(0, 10**6), st.integers(0, 255))
def test_one_changed_byte_never_makes_the_reading_of_a_workbook_fail(position: int, value: int) -> None:
    data = bytearray(BOOK)
    data[position % len(data)] = value
    parsed = parse_file("a.xlsx", bytes(data))
    assert parsed.document is not None or parsed.problems


@THOROUGH
@given(st.integers(0, 10**6), st.binary(max_size=8))
def test_no_change_inside_a_sheet_makes_the_reading_fail(position: int, scrap: bytes) -> None:
    name = "xl/worksheets/sheet3.xml"
    content = part(BOOK, name)
    at = position % len(content)
    parsed = parse_file("a.xlsx", with_part(BOOK, name, content[:at] + scrap + content[at + len(scrap) :]))
    assert parsed.document is not None or parsed.problems


def test_a_byte_order_mark_of_utf_8_is_no_matter() -> None:
    assert parse_file("a.yaml", b"\xef\xbb\xbf" + VALID_YAML).problems == ()


def rules(path: str, data: bytes) -> list[str]:
    return [problem.rule for problem in parse_file(path, data).problems]


#: A name, the rule that is broken, the file's name, and the code that makes its bytes in a process of its own.
BOMBS = {
    "flow lists 10,000 deep": ("yaml-too-deep", "a.yaml", "b'[' * 10_000"),
    "block lists 10,000 deep": ("yaml-too-deep", "a.yaml", "b'- ' * 10_000 + b'x'"),
    "keys 2,000 deep": ("yaml-too-deep", "a.yaml", "b''.join(b' ' * n + b'a:\\n' for n in range(2_000))"),
    "a billion laughs": ("yaml-alias", "a.yaml", "LAUGHS"),
    "a million values": ("yaml-too-many-values", "a.yaml", "b'- a\\n' * 1_000_000"),
    "a million keys": ("yaml-too-many-values", "a.yaml", "b''.join(b'k%d: 1\\n' % n for n in range(200_000))"),
    "unknown keys": ("file-too-many-problems", "a.yaml", "VALID + b''.join(b'k%d: 1\\n' % n for n in range(99_000))"),
    "wrong recipients": (
        "file-too-many-problems",
        "a.yaml",
        "VALID + b'recipient:\\n' + b'- {name: a b, type: X}\\n' * 30_000",
    ),
    "50 MB of YAML": ("file-too-large", "a.yaml", "b'a: b\\n' * 10_000_000"),
    "50 MB of rubbish": ("file-too-large", "a.xlsx", "b'PK' * 25_000_000"),
    "a text of 4 MB": (
        "text-too-long",
        "a.yaml",
        "VALID.replace(b'project_name: p', b'project_name: ' + b'p' * 4_000_000)",
    ),
    "a sheet of zeros": ("workbook-zip-bomb", "a.xlsx", "zipped({'xl/worksheets/sheet1.xml': 40_000_000})"),
    "sheets of zeros": ("workbook-zip-bomb", "a.xlsx", "zipped({'p%d.xml' % n: 9_000_000 for n in range(12)})"),
    "9,999 parts": ("workbook-zip-bomb", "a.xlsx", "zipped({'p%d' % n: 0 for n in range(9_999)})"),
    "2,000 parts": ("workbook-zip-bomb", "a.xlsx", "zipped({'p%d' % n: 0 for n in range(2_000)})"),
}

#: Reads a file's name and the code that makes its bytes, a line each. What reads packs is imported once; every file is
#: read by a process of its own, forked from one that has read none.
PROGRAM = """
import io, os, resource, sys, zipfile
sys.path.insert(0, sys.argv[1])
from reconciler.packs import parsing, workbook
VALID = b"metadata: {requestor: a@b.example, project_name: p, business_line: l}\\n"
LAUGHS = b"".join(b"a%d: &a%d [%s]\\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 30))
def zipped(parts):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, size in parts.items():
            archive.writestr(name, bytes(size))
    return stream.getvalue()
def read(path, code):
    data = eval(code)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
    parsed = parsing.parse_file(path, data)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(len(parsed.problems), grown, *{problem.rule for problem in parsed.problems}, flush=True)
for path in sys.stdin:
    code = sys.stdin.readline()
    if os.fork() == 0:
        read(path.strip(), code)
        os._exit(0)
    _, status = os.wait()
    if status:
        print("failed with", os.waitstatus_to_exitcode(status), flush=True)
"""


@pytest.fixture(scope="module")
def reader() -> Iterator[subprocess.Popen[str]]:
    root = str(Path(__file__).parent.parent.parent)
    program = [sys.executable, "-c", PROGRAM, root]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_in_little_memory(name: str, reader: subprocess.Popen[str]) -> None:
    rule, path, code = BOMBS[name]
    assert reader.stdin is not None
    assert reader.stdout is not None
    reader.stdin.write(f"{path}\n{code}\n")
    reader.stdin.flush()
    count, grown, *rules = reader.stdout.readline().split()
    assert rule in rules
    assert int(count) <= 1_001
    # Kilobytes on Linux, bytes on macOS.
    assert int(grown) * (1 if sys.platform == "darwin" else 1024) < 200_000_000


def test_problems_of_one_file_are_counted_beyond_a_thousand() -> None:
    data = VALID_YAML + b"recipient:\n" + b"  - {name: a b, type: X}\n" * 1_500
    found = parse_file("a.yaml", data).problems
    assert len(found) == 1_001
    assert found[-1].rule == "file-too-many-problems"


def test_sizes_are_judged_before_anything_is_parsed() -> None:
    assert rules("a.yaml", b"[" * (MAX_YAML_BYTES + 1)) == ["file-too-large"]
    assert rules("a.xlsx", b"PK" * (MAX_WORKBOOK_BYTES // 2 + 1)) == ["file-too-large"]


def test_a_workbook_whose_sizes_lie_is_refused() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"<a/>")
        archive.writestr("xl/workbook.xml", bytes(30_000_000))
    data = stream.getvalue()
    lying = data.replace((30_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lying != data
    assert rules("a.xlsx", lying) == ["workbook-unreadable"]


def test_control_characters_of_a_file_never_reach_a_message() -> None:
    data = VALID_YAML.replace(b"name: s", b'name: "s\\e[31m\\n"').replace(b"project_name", b'"\\e]0;x\\a"')
    for problem in parse_file("a.yaml", data).problems:
        assert (problem.message + problem.hint).isprintable()
