"""Partitions as packs write them: what is understood, and that what is written reads back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.share import Condition, Partition
from reconciler.packs.partitions import NotAPartition, partition, partition_words
from tests.packs.documents import THOROUGH

_TEXTS = st.text("aZ0 '`\"%_.=äß東\\-", max_size=8)
_COLUMNS = _TEXTS.filter(bool).map(str.lower).filter(lambda text: text == text.lower())
_KEYS = st.text("aZ0 '`_.-ä", min_size=1, max_size=8)
_CONDITIONS = (
    st.builds(Condition, _COLUMNS, st.booleans(), _TEXTS)
    | st.builds(Condition, _COLUMNS, st.booleans(), recipient_property=_KEYS)
    | st.builds(Condition, _COLUMNS)
)


@THOROUGH
@given(st.frozensets(_CONDITIONS, min_size=1, max_size=4))
def test_what_is_written_reads_back(conditions: Partition) -> None:
    assert partition(partition_words(conditions)) == conditions


@THOROUGH
@given(st.text("a='` \"ANDorlikeISnull.recipient,()<>5%\n", max_size=40))
def test_no_text_makes_the_reading_fail(text: str) -> None:
    found = partition(text)
    assert isinstance(found, frozenset) or (found.message and found.hint)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("region = 'EMEA'", {Condition("region", value="EMEA")}),
        (" Region='EMEA' ", {Condition("region", value="EMEA")}),
        ("year like '20%'", {Condition("year", is_like=True, value="20%")}),
        ("org = recipient.Org", {Condition("org", recipient_property="Org")}),
        ("org = RECIPIENT.databricks.accountId", {Condition("org", recipient_property="databricks.accountId")}),
        ("org LIKE recipient.`Cost Centre`", {Condition("org", is_like=True, recipient_property="Cost Centre")}),
        ("x Is Null", {Condition("x")}),
        ("x = ''", {Condition("x", value="")}),
        ("x = 'AND y = ''z'''", {Condition("x", value="AND y = 'z'")}),
        ("`and` = '1'AND`Or``der`='2'", {Condition("and", value="1"), Condition("or`der", value="2")}),
        ("recipient = 'x' AND straße = 'y'", {Condition("recipient", value="x"), Condition("straße", value="y")}),
        ("a = '1' AND A = '1'", {Condition("a", value="1")}),
    ],
)
def test_what_is_understood(text: str, expected: set[Condition]) -> None:
    assert partition(text) == frozenset(expected)


@pytest.mark.parametrize(
    ("text", "at", "hint"),
    [
        ("a", 2, "write for example"),
        ("a = 'x' b = 'y'", 9, "write for example"),
        ("a = 'x' AND", 12, "write for example"),
        ("a = b", 5, "'b'"),
        ("a = NULL", 5, "write for example"),
        ("a = -5", 5, "write for example"),
        ("a = 'x' OR b = 'y'", 9, "two entries"),
        ("a != 'x'", 3, "only =, LIKE and IS NULL"),
        ("NOT a = 'x'", 1, "only =, LIKE and IS NULL"),
        ("a = 'it's'", 9, "write for example"),
        ("t.a = 'x'", 2, "write for example"),
        ("``='x'", 1, "back-quote"),
    ],
)
def test_what_is_not_understood_is_told_with_its_place(text: str, at: int, hint: str) -> None:
    found = partition(text)
    assert isinstance(found, NotAPartition)
    assert found.message.endswith(f", at character {at}")
    assert hint in found.hint
