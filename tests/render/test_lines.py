import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.recipient import FederationPolicy, OidcSharing, Recipient, SubjectClaim
from reconciler.core.share import Condition, ObjectType, Share, SharedObject
from reconciler.render.lines import Span, Style, Tone, line, pad, render, table, visible, width
from reconciler.render.plan_text import plan_text
from reconciler.render.svg import svg
from tests.render.plans import Scene, plan_of

NASTY = st.text(
    st.sampled_from("\x00\x07\x08\x1b\x7f\x9b\r\n\t\u200b\u202e\u2066\u2028\ufeff\ud800a[;m<>&\"'"), max_size=12
)


def is_harmless(text: str) -> bool:
    return all(char == "\n" or unicodedata.category(char)[0] not in "CZ" or char == " " for char in text)


@given(NASTY, NASTY, NASTY)
def test_no_control_character_of_a_pack_reaches_the_output(name: str, comment: str, email: str) -> None:
    recipient = Recipient(
        name or "r",
        OidcSharing(),
        email,
        frozenset(),
        comment,
        owner=name,
        properties=frozenset({(name, comment)}),
        policies=frozenset({FederationPolicy(name, comment, SubjectClaim.SUB, email, frozenset({name}), comment)}),
    )
    partitions = frozenset({frozenset({Condition(name, value=comment), Condition(comment, recipient_property=name)})})
    item = SharedObject(name, ObjectType.TABLE, shared_as=comment, comment=email, partitions=partitions)
    share = Share(name or "s", comment, frozenset({item}), frozenset({name}), owner=email, storage_root=name)
    text = plan_text(plan_of(Scene([recipient, share], path=name, project=comment)))
    assert is_harmless(text)
    assert text.encode()


@given(NASTY)
def test_a_picture_is_well_formed_whatever_the_text(text: str) -> None:
    from xml.etree import ElementTree as ET  # noqa: PLC0415

    root = ET.fromstring(svg([line(text, Span(text, Tone.ADD))], text))
    assert root.tag.endswith("svg")


def test_a_picture_draws_on_nothing_outside_itself() -> None:
    picture = svg([line("plan")], "sharepack plan")
    assert not re.search(r"href|@import|url\(|<script|@font-face", picture)


@given(st.text(st.sampled_from("ab -→é"), max_size=8), st.integers(0, 12))
def test_padding_reaches_the_column(text: str, columns: int) -> None:
    assert width(pad(text, columns)) == max(columns, width(text))


def test_wide_and_combining_characters_take_their_columns() -> None:
    assert width("データ") == 6
    assert width("e\u0301") == 1


def test_what_a_terminal_would_obey_is_shown_instead() -> None:
    assert visible("a\x1b[31m\nb\u202ec") == "a\\x1b[31m\\nb\\u202ec"


def test_a_table_aligns_its_columns_without_trailing_spaces() -> None:
    rows = [(Span("a"), Span("bb")), (Span("aaa"), Span(""))]
    assert render(table(["x", "y"], rows)) == "X    Y\na    bb\naaa\n"


def test_only_styles_with_colour_have_escape_sequences() -> None:
    lines = [line(Span("new", Tone.ADD), " and old")]
    assert render(lines) == "new and old\n"
    assert render(lines, Style(colour=True)) == "\x1b[32mnew\x1b[0m and old\n"
