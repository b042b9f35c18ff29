"""Styled lines as a code block that GitHub colours: what is added green, what goes away red, what stands in the way
orange. Decides no words."""

from collections.abc import Iterable
from typing import Final

from reconciler.render.lines import Line, Span, Tone
from reconciler.render.markdown.escape import fenced

_SIGNS: Final = {Tone.TROUBLE: "!", Tone.ADD: "+", Tone.REMOVE: "-"}


def diff_block(lines: Iterable[Line]) -> str:
    return fenced(map(diff_line, lines), "diff")


def diff_line(line: Line) -> str:
    """With the sign of its tone in the first column; what is taken away and put back otherwise has none."""
    text = "".join(span.text for span in line).rstrip(" ")
    signs = {_SIGNS[span.tone] for span in line if _is_signed(span)}
    sign = signs.pop() if len(signs) == 1 else " "
    # The first line of a step has its own sign after two blanks.
    is_headline = text[:2] == "  " and text[2:3].strip() and text[3:4] == " "
    if is_headline and text[2] in "+-!":
        return text[2:]
    return f"{sign} {text[2:] if text[:2] == '  ' else text}"


def _is_signed(span: Span) -> bool:
    """A value is not by itself something added or taken away."""
    return span.tone is Tone.TROUBLE or (span.tone in _SIGNS and span.text[:2] in {"+ ", "- "})


def folded(summary: str, *blocks: str) -> str:
    """`summary` is HTML."""
    inner = "\n\n".join(blocks)
    return f"<details><summary>{summary}</summary>\n\n{inner}\n\n</details>"
