import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.render.lines import visible
from reconciler.render.markdown.escape import cell, code, fenced, html_code, length, link, prose, shown, strong
from tests.drawing import examples
from tests.render.markdown.attacks import ATTACKS
from tests.render.markdown.rendered import nothing_is_smuggled, read, seen

FRAGMENTS = st.sampled_from(
    [
        "`",
        "``",
        "|",
        "\\",
        "@a",
        "#1",
        "<b>",
        "</code>",
        "<!--",
        "-->",
        "[x](y:z)",
        "![",
        "](",
        "http://a.b",
        "www.a.b",
        "\n",
        "\n\n",
        " ",
        "  ",
        "a@b.c",
        ":x:",
        "$",
        "*",
        "_",
        "~~",
        "- ",
        "1. ",
        "> ",
        "&#64;",
        "word",
        "deadbeef",
        "\u202e",
        "GH-1",
        "sharepack ",
        "approve 1a2b3c4d5e6f7a8b",
        "(",
        ")",
        ",",
        ":",
        "[^1]",
        "```",
        "\t",
        "\x00",
    ]
)
TEXTS = st.one_of(st.text(max_size=60), st.lists(FRAGMENTS, max_size=12).map("".join))
HARD = settings(max_examples=examples(100, 1000), deadline=None)


def everywhere(text: str) -> str:
    """Each way of putting down a text, in a place where it is put."""
    row = f"| {cell(code(text))} | {cell(strong(text))} |"
    return "\n".join(
        [
            f"- {code(text)} loses {strong(text)}, {prose(text)}",
            f"  - → {prose(text)}",
            "",
            f"{prose(text)} ({code(text)}): {prose(text)}",
            "",
            f"<details><summary>{html_code(text)} in {html_code(text)}</summary>",
            "",
            "| Cell | After |",
            "| --- | --- |",
            row,
            "",
            fenced([text, f"+ {text}", f" {text}"], "diff"),
            "",
            "</details>",
            "",
            "## End",
        ]
    )


@pytest.mark.parametrize("text", ATTACKS, ids=range(len(ATTACKS)))
def test_an_attack_stays_text_wherever_it_is_put(text: str) -> None:
    nothing_is_smuggled(everywhere(text))


@HARD
@given(TEXTS)
def test_no_text_is_more_than_text(text: str) -> None:
    markdown = everywhere(text)
    nothing_is_smuggled(markdown)
    found = read(markdown)
    assert found.tags >= {"details", "summary", "table", "td", "pre", "li", "h2"}


@HARD
@given(TEXTS)
def test_what_is_put_into_code_is_shown_as_it_is(text: str) -> None:
    said = shown(text)
    if said.strip(" "):
        assert seen(f"x {code(text)} x").strip("\n") == f"x {said} x"
        assert seen(f"| a |\n| - |\n| {cell(code(text))} |").strip("\n").endswith(said)


@HARD
@given(st.lists(TEXTS, max_size=5))
def test_a_block_ends_where_it_should(lines: list[str]) -> None:
    found = read(f"{fenced(lines, 'diff')}\n\n## End")
    assert found.loose[-2:] == ["End", "\n"] or "End" in found.loose
    assert found.tags == {"pre", "code", "h2"}


@HARD
@given(TEXTS)
def test_prose_keeps_every_word(text: str) -> None:
    words = shown(text).replace("`", "").split()
    assert "".join(seen(prose(text)).replace("`", "").split()) == "".join(words)


def test_plain_words_stay_words_and_names_become_code() -> None:
    said = prose("the catalog has no prod.sales.x, prod.sales.y; write `adopt: true` (it's D2O).")
    assert said == "the catalog has no `prod.sales.x`, `prod.sales.y`; write `adopt: true` (it's D2O)."


def test_what_is_hidden_is_seen() -> None:
    assert code("a\u202eb\u200bc") == "`a\\u202eb\\u200bc`"
    assert code("\u3164") == "`\\u3164`"
    assert code("") == "(empty)"
    assert code("  ") == "(blank, 2 long)"
    assert shown("x" + "\u0301" * 9) == "x\u0301\u0301\u0301…"
    assert shown("plain | ` text") == visible("plain | ` text")


def test_a_link_leads_to_the_web_or_nowhere() -> None:
    assert link("The plan", "https://ghe.example/o/r/actions/runs/1#x") == (
        "[The plan](<https://ghe.example/o/r/actions/runs/1#x>)"
    )
    assert link("The plan", "javascript:alert(1)") == "The plan"
    assert read(link("The plan", "https://a.example/>)<b>\n\n# x")).tags == {"p", "a"}


def test_length_is_counted_as_the_host_may_count() -> None:
    assert length("a\U0001f600\ud800") == 4
