"""`packs.formatting`: the same meaning, the same comments where they were, and nothing left to do the second time."""

import random
import re
from collections import Counter
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.packs.document import PackDocument
from reconciler.packs.formatting import Formatted, HasProblems, NotTheSame, format_file
from reconciler.packs.parsing import parse_file
from reconciler.packs.writing import as_mapping
from tests.packs.documents import THOROUGH, documents
from tests.packs.examples import CASES, files_of
from tests.packs.full_documents import full_documents
from tests.packs.noisy import NoisyWriter
from tests.packs.test_round_trip import BROAD, checked_pack

UNTIDY = """\
# yaml-language-server: $schema=../../schema/sharepack.schema.json

# About the file
share:   # the shares
- data_objects: ["a.b.c",   # first
     {type: VIEW, name: 'a.b.d'},
    ] # end
  recipients: [zed, "amy",
     bob]
  name: s2
  # about the comment
  comment: >
     folded
     text

     and more

  # commented: out

# EMEA -----

- name: s1   # one
  # about data
  data_objects:
  # ten is not two
  - x.y.z10 # ten
  - "x.y.z2"
  #- x.y.z3

  - x.y.a
  # end of s1
metadata:
    business_line:   "L"
    project_name: 'it''s'
    requestor: a@b.example
    description: |  # a note
       one
         two

recipient:
- type: D2O
  # named
  name: zed
  email: "z@x.example"
- {type: D2O, name: bob, email: b@x.example} # bob


- name: amy
  email: a@x.example
  type: D2O
  comment: "a long text that goes over
    several lines and gets much longer than what fits in the width of the line, so that it needs to be wrapped"
# the end
"""
TIDY = """\
# yaml-language-server: $schema=../../schema/sharepack.schema.json

# About the file
metadata:
  requestor: a@b.example
  project_name: it's
  business_line: L
  description: |  # a note
    one
      two

recipient:
  - name: amy
    type: D2O
    email: a@x.example
    comment: >-
      a long text that goes over several lines and gets much longer than what fits in the width of
      the line, so that it needs to be wrapped

  - {name: bob, type: D2O, email: b@x.example}  # bob

  # named
  - name: zed
    type: D2O
    email: z@x.example

share:  # the shares
  - name: s2
    # about the comment
    comment: >
      folded
      text

      and more
    recipients: [amy, bob, zed]
    data_objects:  # end
      - a.b.c  # first
      - {name: a.b.d, type: VIEW}

    # commented: out

  # EMEA -----

  - name: s1  # one
    # about data
    data_objects:
      - x.y.z2
      # ten is not two
      - x.y.z10  # ten
      #- x.y.z3

      - x.y.a
    # end of s1
# the end
"""


def formatted(text: str | bytes, path: str = "a.yaml") -> str:
    data = text.encode() if isinstance(text, str) else text
    found = format_file(path, data)
    assert isinstance(found, Formatted), found
    return found.data.decode()


def test_an_untidy_pack_becomes_tidy_and_stays_so() -> None:
    assert formatted(UNTIDY) == TIDY
    assert formatted(TIDY) == TIDY


def pack(rest: str = "", **metadata: str) -> str:
    lines = {"requestor": "a@b.example", "project_name": "p", "business_line": "l", **metadata}
    return "metadata:\n" + "".join(f"  {key}: {text}\n" for key, text in lines.items()) + dedent(rest)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ('"Sales Data"', "Sales Data"),
        ("'it''s'", "it's"),
        ('"no"', '"no"'),
        ("no", "no"),
        ("'2027-01-31'", "'2027-01-31'"),
        ('"12:30:45"', '"12:30:45"'),
        ('"0x1F"', '"0x1F"'),
        ('"a: b"', '"a: b"'),
        ("'a #b'", "'a #b'"),
        ('"#a"', '"#a"'),
        ('"a:b"', "a:b"),
        ('"- a"', '"- a"'),
        ('"two\\nlines"', '"two\\nlines"'),
        ('"\\u00e4"', "ä"),
        ('""', '""'),
        ('" padded "', '" padded "'),
        ("'a\n    b'", "a b"),
        ("a\n    b", "a b"),
        ("|\n    a\n     b", "|\n    a\n     b"),
        ("|2-\n      a", '"  a"'),
        ("|+\n    a\n", '"a\\n\\n"'),
        (">-\n      a\n      b", ">-\n    a\n    b"),
    ],
)
def test_quotes_go_where_they_are_not_needed(written: str, normal: str) -> None:
    assert formatted(pack(description=written)) == pack(description=normal)


def test_a_file_of_windows_becomes_one_of_git() -> None:
    data = b"\xef\xbb\xbf" + pack(description="a # b").replace("\n", "\r\n").encode() + b"\r\n\r\n"
    assert formatted(data) == pack(description="a  # b")


def test_lists_without_an_order_are_sorted_and_others_are_not() -> None:
    text = pack(
        """\

        recipient:
          - name: b
            type: D2O
            email: b@b.example
            allowed_ips: [10.0.1.0/24, 10.0.0.0/24]
            properties:
              z: "1"
              a: "2"

          - name: A
            type: D2O
            email: a@b.example

        share:
          - name: s
            recipients: [b, A]
            data_objects:
              - a.b.t10
              - {type: TABLE, name: a.b.t9, partitions: ["x = '2'", "x = '1'"]}

              - a.b.grouped
              - a.b.apart
        """
    )
    expected = pack(
        """\

        recipient:
          - name: A
            type: D2O
            email: a@b.example

          - name: b
            type: D2O
            email: b@b.example
            allowed_ips: [10.0.1.0/24, 10.0.0.0/24]
            properties:
              z: "1"
              a: "2"

        share:
          - name: s
            recipients: [A, b]
            data_objects:
              - a.b.apart

              - a.b.grouped

              - {name: a.b.t9, type: TABLE, partitions: [x = '2', x = '1']}

              - a.b.t10
        """
    )
    assert formatted(text) == expected


def test_brackets_stay_only_where_they_fit_the_line() -> None:
    names = [f"catalog.schema.a_table_with_a_long_name_{number}" for number in range(4)]
    text = pack(f"\nshare:\n  - name: s\n    data_objects: [{', '.join(names)}]\n")
    listed = "".join(f"      - {name}\n" for name in names)
    assert formatted(text) == pack(f"\nshare:\n  - name: s\n    data_objects:\n{listed}")


def test_the_tenants_file_has_an_order_too() -> None:
    text = dedent("""\
        # who is who
        tenants:
          Sales:
            contact: "#sales"
            owner: sales@example.com   # Ann
            # closed
            catalogs: [b, a]

          # Lawyers
          Legal: {drift: report, workspace: "https://adb-1.example.net"}
        """)
    assert formatted(text, "sharepacks/tenants.yaml") == dedent("""\
        # who is who
        tenants:
          # Lawyers
          Legal: {workspace: "https://adb-1.example.net", drift: report}

          Sales:
            owner: sales@example.com  # Ann
            contact: "#sales"
            # closed
            catalogs: [a, b]
        """)


@pytest.mark.parametrize("case", [case for case in CASES if case.endswith(".yaml")])
def test_a_file_with_problems_is_left_with_the_same_problems_as_validate_finds(case: str) -> None:
    ((path, data),) = files_of(case).items()
    problems = parse_file(path, data).problems
    found = format_file(path, data)
    if any(problem.is_error for problem in problems):
        assert found == HasProblems(problems)
    else:
        assert isinstance(found, Formatted)


def test_the_packs_of_this_repository_keep_their_meaning_and_their_comments() -> None:
    folder = Path(__file__).parents[2] / "sharepacks"
    for path in sorted(folder.rglob("*.yaml")):
        text = formatted(path.read_bytes(), path.as_posix())
        before = sorted(re.findall(r"(?:^|\s)(#.*)$", path.read_text(encoding="utf-8"), re.MULTILINE))
        assert sorted(re.findall(r"(?:^|\s)(#.*)$", text, re.MULTILINE)) == before
        assert formatted(text, path.as_posix()) == text


@BROAD
@given(documents() | full_documents(), st.integers(0, 2**32), st.sampled_from([0.05, 0.2, 0.4]))
def test_whatever_it_looks_like_it_means_the_same_and_is_done_the_first_time(
    document: PackDocument, seed: int, noise: float
) -> None:
    chance = random.Random(seed)
    writer = NoisyWriter(chance, noise)
    text = writer.text(as_mapping(document))
    data = text.replace("\n", chance.choice(["\n", "\r\n"])).encode(chance.choice(["utf-8", "utf-8-sig"]))
    assert not parse_file("a.yaml", data).is_broken, text
    after = formatted(data)
    assert formatted(after) == after
    assert checked_pack(parse_file("a.yaml", after.encode())) == checked_pack(parse_file("a.yaml", data))
    assert after.endswith("\n")
    assert not after.endswith("\n\n")
    assert "\r" not in after
    _assert_comments(writer.comments, after)


def _assert_comments(comments: list[str], after: str) -> None:
    """Each once, and what stood beside a value still does."""
    lines = after.split("\n")
    found = Counter({comment: sum(line.endswith(comment) for line in lines) for comment in comments})
    assert found == Counter(comments)
    for comment in comments:
        (line,) = (line for line in lines if line.endswith(comment))
        about = comment.partition(" beside ")[2]
        if about and about != "---":
            assert about in line.removesuffix(comment)


@THOROUGH
@given(st.text(st.characters(codec="utf-8"), max_size=60), st.booleans())
@example("a: &x 1\nb: *x", False)
@example("<<: {a: 1}", True)
@example("[", False)
def test_no_text_makes_it_raise_or_say_something_else(text: str, is_in_a_pack: bool) -> None:
    data = (pack() + text if is_in_a_pack else text).encode()
    found = format_file("a.yaml", data)
    if isinstance(found, Formatted):
        assert parse_file("a.yaml", found.data).document == parse_file("a.yaml", data).document
    else:
        assert isinstance(found, HasProblems)


@pytest.mark.parametrize("what", ["comment: &a x\n    owner: *a", "comment: !!str x", "<<: {comment: x}"])
def test_anchors_and_tags_are_left_to_their_author(what: str) -> None:
    found = format_file("a.yaml", pack(f"\nshare:\n  - name: s\n    {what}\n").encode())
    assert isinstance(found, HasProblems)


def test_what_would_not_read_back_the_same_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.packs.formatting.laid_out", lambda _: pack(description="other"))
    assert isinstance(format_file("a.yaml", pack(description="this").encode()), NotTheSame)
    monkeypatch.setattr("reconciler.packs.formatting.laid_out", lambda _: pack(description="this"))
    found = format_file("a.yaml", pack(description="this # lost").encode())
    assert found == NotTheSame("formatted, a comment would be lost")
