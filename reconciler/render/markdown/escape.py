"""Text from elsewhere inside Markdown of ours: nothing of it becomes a mention, a link, an image, HTML, a heading, a
table, an end of a table, or an instruction to this program. Decides how foreign text is put down, never what is said.

GitHub looks for mentions, references, commits, addresses and emoji in the text that Markdown leaves over, where no
backslash protects them any more; in code it looks for nothing. So what could be anything goes into code."""

import html
import re
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote, urlsplit

from reconciler.render.lines import visible

#: Shown as nothing, or nearly, although Unicode calls them letters or marks.
_INVISIBLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
#: More marks on one letter than any language has cover the lines above.
_PILED: Final = re.compile(
    r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3})"
    r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
#: A word that no Markdown and no reference begins with: letters, with hyphens or an apostrophe between them, or a short
#: number, perhaps in brackets and before a stop.
_PLAIN: Final = re.compile(r"(\(?)((?:[^\W\d_]+(?:['\u2019-][^\W\d_]+)*)|D2[OD]|\d{1,6}|[→–…])(\)?[,;:?]?|\)?\.)")
#: Seven such digits may be a commit.
_MAY_BE_COMMIT: Final = re.compile(r"[0-9a-fA-F]{7,}")
#: What may stand around a word without being part of what it names.
_AROUND: Final = re.compile(r"([(\"“]?)(.*?)([)\"”]?[,;:.?]?)", re.DOTALL)
#: What a message has put into code itself.
_QUOTED: Final = re.compile(r"`([^`]+)`")
#: What follows such a code.
_STOPS: Final = re.compile("[,.;:)]{1,3}")
#: A line that begins so is taken for the words of a person who lets something go.
_COMMAND: Final = "sharepack"


def length(text: str) -> int:
    """As GitHub may count: characters beyond the first 65,536 of Unicode count twice."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def shown(text: str) -> str:
    """In one line, with what is hidden made visible, and without what would begin an HTML comment, such as the marker
    by which a comment of ours is found."""
    seen = _INVISIBLE.sub(lambda found: found[0].encode("unicode_escape").decode(), visible(text))
    return _PILED.sub(r"\1…", seen).replace("<!--", "<\\u0021--")


def code(text: str) -> str:
    """A code span. In a cell of a table, put it through `cell`."""
    inner = shown(text)
    if not inner.strip(" "):
        return f"(blank, {len(inner)} long)" if inner else "(empty)"
    fence = "`" * (_longest_run(inner) + 1)
    pad = " " if inner[0] in "` " or inner[-1] in "` " else ""
    return f"{fence}{pad}{inner}{pad}{fence}"


def strong(text: str) -> str:
    return f"**{code(text)}**"


def prose(text: str) -> str:
    """A sentence of ours with foreign words in it: plain words stay as they are, all others are put into code."""
    said = ""
    for at, part in enumerate(_QUOTED.split(shown(text))):
        words = code(part) if at % 2 and part.strip() else "".join(_pieces(part))
        if not words:
            continue
        # Two pieces of code without a gap would be one.
        said += words if not said or words[0] in ",.;:)" or said[-1] == "(" else f" {words}"
    return said


def html_code(text: str) -> str:
    """For the inside of HTML, where Markdown is not read."""
    return f"<code>{html_text(text)}</code>"


def html_text(text: str) -> str:
    """For words of our own inside HTML."""
    return html.escape(shown(text))


def cell(markdown: str) -> str:
    """What is to stand in a cell of a table, code included: a bar ends the cell even there."""
    return markdown.replace("|", "\\|")


def fenced(lines: Iterable[str], language: str = "") -> str:
    """A code block of these lines."""
    content = [_no_command(shown(each)) for each in lines]
    fence = "`" * max(3, max(map(_longest_run, content), default=0) + 1)
    return "\n".join([f"{fence}{language}", *content, fence])


def link(words: str, url: str) -> str:
    """`words` are ours. Without an address of the web, no link."""
    if urlsplit(url).scheme not in {"http", "https"}:
        return words
    return f"[{words}](<{quote(url, safe=_IN_ADDRESS)}>)"


_IN_ADDRESS: Final = ":/?#@!$&'()*+,;=%~-._[]"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _no_command(line: str) -> str:
    return f"| {line}" if line.lstrip().startswith(_COMMAND) else line


def _pieces(text: str) -> Iterator[str]:
    """Words that are not plain and stand beside each other share their code."""
    held: list[str] = []
    gap = ""
    words = text.split()
    if words and _STOPS.fullmatch(words[0]):
        yield words.pop(0)
        gap = " "
    for word in words:
        if _is_plain(word):
            yield from _flushed(held, gap)
            gap = " " if held or gap else ""
            held = []
            yield f"{gap}{word}"
            gap = " "
            continue
        held.append(word)
        if word[-1] in ",;:":
            yield from _flushed(held, gap)
            held, gap = [], " "
    yield from _flushed(held, gap)


def _flushed(words: list[str], gap: str) -> Iterator[str]:
    if not words:
        return
    found = _AROUND.fullmatch(" ".join(words))
    before, inner, after = found.groups() if found else ("", " ".join(words), "")
    if after[:1] == ")" and before != "(":
        inner, after = f"{inner})", after[1:]
    yield f"{gap}{before}{code(inner)}{after}" if inner else f"{gap}{code(before + after)}"


def _is_plain(word: str) -> bool:
    found = _PLAIN.fullmatch(word)
    if found is None or _MAY_BE_COMMIT.search(found[2]) or found[2] == _COMMAND:
        return False
    # `1.` and `1)` begin a list.
    return not (found[2].isdigit() and found[3] and found[3][0] in ").")
