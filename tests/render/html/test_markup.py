"""Text becomes HTML in one place, and only as text."""

import pytest

from reconciler.render.html.lines_html import block
from reconciler.render.html.markup import NOTHING, Markup, joined, tag, text
from reconciler.render.lines import Line, Span, Tone, line


@pytest.mark.parametrize(
    ("said", "html"),
    [
        ("plain", "plain"),
        ("<b>&\"'", "&lt;b&gt;&amp;&quot;&#x27;"),
        ("a\x1b[31m\x00\nb", "a\\x1b[31m\\x00\\nb"),
        ("right\u202eleft\u2066\u200f", "right\\u202eleft\\u2066\\u200f"),
        ("\ud800", "\\ud800"),
    ],
)
def test_text_is_escaped_and_nothing_in_it_is_invisible(said: str, html: str) -> None:
    assert text(said).html == html
    assert tag("p", said).html == f"<p>{html}</p>"
    assert tag("p", title=said).html == f'<p title="{html}"></p>'


def test_only_markup_is_taken_as_it_is() -> None:
    assert tag("p", tag("b", "<"), "<").html == "<p><b>&lt;</b>&lt;</p>"
    assert joined(["<", Markup("<hr>")], "\n").html == "&lt;\n<hr>"
    assert NOTHING.html == ""


def test_attributes_stand_alone_are_left_out_or_have_a_value() -> None:
    shown = tag("input", class_="a", for_="b", aria_label="c", open=True, checked=False, id=None, width=3, x=1.50)
    assert shown.html == '<input class="a" for="b" aria-label="c" open width="3" x="1.5">'


def value(label: str, html: str, kind: str = "field") -> str:
    shown = f'<span class="value">{html}</span>'
    return f'<div class="{kind}"><span class="label">{label}</span>{shown}</div>'


@pytest.mark.parametrize(
    ("said", "html"),
    [
        (
            line("      comment      ", Span('"a  b"', Tone.REMOVE), Span(" → "), Span('"c"', Tone.ADD)),
            value("comment", '<span class="remove">&quot;a  b&quot;</span> → <span class="add">&quot;c&quot;</span>'),
        ),
        (
            line("                   ", Span("+ c.s.t", Tone.ADD)),
            value("", '<span class="add">+ c.s.t</span>'),
        ),
        (
            line(" " * 23, "start_version  ", Span("3", Tone.REMOVE), " → ", Span("7", Tone.ADD)),
            value("start_version", '<span class="remove">3</span> → <span class="add">7</span>', "field deep"),
        ),
        (line("      → do that"), '<div class="note hint">→ do that</div>'),
        (line("      ", Span("bad ", Tone.TROUBLE)), '<div class="note"><span class="trouble">bad</span></div>'),
        (line(), ""),
        (line("   "), ""),
    ],
)
def test_the_columns_of_a_line_become_a_label_and_a_value(said: Line, html: str) -> None:
    assert block([said]).html == html
