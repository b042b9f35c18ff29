from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.access_report import AccessQuestion
from reconciler.core.key import PackId
from reconciler.core.reads import Reads
from reconciler.render.access_report_text import access_report_text, nothing_words, wrapped
from reconciler.render.lines import Style, render, width
from tests.render.access_scenes import LINES, PACK, reads, report
from tests.render.golden_files import the_text_is_as_committed

THEN = datetime(2026, 3, 31, 21, 59, 59, 999999, tzinfo=UTC)
END = "the end of 2026-03-31 in Europe/Berlin"
TABLE = "prod_catalog.sales.transactions"
AT_NOW = "now, at 2026-11-23 09:30:15 UTC"
AT_ITS_END = f"at 2026-03-31 21:59:59 UTC ({END})"
TELLS = "as far as the record tells; it goes back to 2026-01-02 08:00:00 UTC."


def test_everything_now() -> None:
    the_text_is_as_committed("access_now.txt", access_report_text(report()))


def test_one_object_at_the_end_of_a_day() -> None:
    lines = tuple(line for line in LINES if line.covers(TABLE))
    question = AccessQuestion(object_name="PROD_CATALOG.sales.transactions", at=THEN, at_words=END)
    text = access_report_text(report(question, lines))
    assert "2026-03-31 21:59:59 UTC" in text
    the_text_is_as_committed("access_of_an_object.txt", text)


def test_one_recipient_of_one_business_line() -> None:
    lines = tuple(line for line in LINES if line.recipient == "sales-analyst")
    question = AccessQuestion(recipient="sales-analyst", lines=frozenset({"sales operations"}))
    the_text_is_as_committed("access_of_a_recipient.txt", access_report_text(report(question, lines)))


def test_no_line_is_longer_than_eighty_columns_unless_a_name_is() -> None:
    many = ", ".join(f"reviewer-number-{number}@example.com (review)" for number in range(20))
    long = reads("sales-analyst", approved_by=many, pull_requests=", ".join(f"example/packs#{n}" for n in range(40)))
    far = reads("p" * 40, pack=PackId.of("A business line with a very long name", "And a project with one as well"))
    text = access_report_text(report(lines=(*LINES, long, far)))
    assert max(width(line) for line in text.splitlines()) <= 80
    for number in range(20):
        assert f"reviewer-number-{number}@example.com" in text


def test_a_name_that_is_longer_than_a_line_is_not_broken() -> None:
    name = "c" * 60 + "." + "s" * 60 + "." + "t" * 60
    (only,) = [line.strip() for line in render(tuple(wrapped(name, 6))).splitlines()]
    assert only == name


@given(st.lists(st.text(alphabet="ab表", min_size=1, max_size=20), max_size=40), st.integers(0, 40), st.integers(0, 8))
def test_wrapping_loses_no_word_and_keeps_to_the_width(words: list[str], indent: int, hanging: int) -> None:
    text = " ".join(words)
    lines = render(tuple(wrapped(text, indent, hanging=hanging))).splitlines()
    assert " ".join(lines).split() == words
    assert all(width(line) <= 80 or len(line.split()) == 1 for line in lines)


def test_nothing_of_a_pack_reaches_the_terminal_as_a_control() -> None:
    bad = reads("x\x1b[2J", approved_by="\x1b]0;owned\x07")
    text = access_report_text(report(lines=(bad,)), Style(colour=True))
    assert "\x1b[2J" not in text
    assert "\x07" not in text
    assert "\\x1b[2J" in text


# Nothing to tell


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (AccessQuestion(object_name=TABLE, at=THEN, at_words=END), f"Nobody could read {TABLE} {AT_ITS_END}, {TELLS}"),
        (AccessQuestion(recipient="acme"), f"acme cannot read anything {AT_NOW}, {TELLS}"),
        (AccessQuestion(), f"Nobody can read anything {AT_NOW}, {TELLS}"),
        (AccessQuestion("acme", TABLE, at=THEN, at_words=END), f"acme could not read {TABLE} {AT_ITS_END}, {TELLS}"),
        (
            AccessQuestion("acme", TABLE, lines=frozenset({"sales"})),
            f"acme cannot read {TABLE} {AT_NOW}, {TELLS.replace('record', 'record of sales')}",
        ),
        (
            AccessQuestion(object_name="transactions"),
            f"Nobody can read transactions {AT_NOW}, {TELLS} Objects go by their whole names, such as {TABLE}.",
        ),
    ],
)
def test_nothing_is_said_in_words_with_how_far_the_record_goes_back(question: AccessQuestion, words: str) -> None:
    assert nothing_words(report(question, ())) == words
    assert " ".join(access_report_text(report(question, ())).split()) == words


def test_before_the_record_begins_nobody_knows() -> None:
    early = AccessQuestion(object_name=TABLE, at=datetime(2025, 12, 31, tzinfo=UTC))
    words = nothing_words(report(early, ()))
    assert words == (
        "What could be read at 2025-12-31 00:00:00 UTC is not known: the record begins at 2026-01-02 08:00:00 UTC."
    )


def test_now_is_never_before_the_record_whatever_two_clocks_say() -> None:
    ahead = datetime(2030, 1, 1, tzinfo=UTC)
    words = nothing_words(report(AccessQuestion(object_name=TABLE), (), record_since=ahead))
    assert words.startswith(f"Nobody can read {TABLE} now, at ")


def test_an_empty_record_is_said_to_be_one() -> None:
    assert nothing_words(report(None, (), record_since=None)) == "Nothing is on record: no share was ever applied."


def test_what_has_another_origin_stands_apart() -> None:
    later = datetime(2026, 5, 1, tzinfo=UTC)
    both: tuple[Reads, ...] = (reads("sales-analyst"), reads("sales-analyst", LINES[1].item, since=later))
    text = access_report_text(report(lines=both))
    assert text.count(str(PACK)) == 2
    assert text.index("2026-01-02") < text.index("2026-05-01")
