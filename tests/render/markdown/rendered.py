"""What becomes of our Markdown at GitHub: rendered by GitHub's own parser, then searched for all that GitHub makes of
the text that is left over. A second renderer has to agree on what is a link, HTML or an image."""

import re
from html.parser import HTMLParser

import cmarkgfm
from markdown_it import MarkdownIt
from markdown_it.token import Token

_OPTIONS = cmarkgfm.Options.CMARK_OPT_UNSAFE | cmarkgfm.Options.CMARK_OPT_FOOTNOTES
#: All that we write ourselves.
_BLOCKS = frozenset({"p", "h2", "h3", "ul", "li", "pre", "details", "summary", "hr", "blockquote"})
_TABLES = frozenset({"table", "thead", "tbody", "tr", "th", "td"})
#: All that we write ourselves.
OUR_TAGS = _BLOCKS | _TABLES | {"strong", "em", "code", "del", "sub", "a"}
OUR_HTML = re.compile(r"(</?(details|summary|code|sub)>|&\w+;|&#\w+;|[^<>])*")
MARKERS = frozenset(f"<!-- sharepack:{name} -->" for name in ("plan", "held", "applied", "drift"))
#: What GitHub makes something of in text outside code, after Markdown.
_MADE_SOMETHING_OF = {
    "mention": r"@[A-Za-z0-9]",
    "issue": r"#\d|\bGH-\d",
    "commit": r"\b[0-9a-f]{7,40}\b",
    "address": r"https?:|www\.|\w@\w|://",
    "emoji": r":[a-z0-9_+-]+:",
    "formula": r"\$",
    "direction": "[\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff\u00ad]",
    "control": r"[\x00-\x08\x0b-\x1f\x7f-\x9f]",
}
#: Words by which a person lets something go; a line of ours must not begin so.
_COMMAND = re.compile(r"^\s*sharepack\b", re.MULTILINE)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.comments: list[str] = []
        self.loose: list[str] = []
        self.all: list[str] = []
        self._code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._code += tag in {"code", "pre"}
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        # Nothing but the language of a block has an attribute.
        for name, value in attrs:
            assert (name, value) == ("lang", "diff") or name == "href", (tag, name, value)

    def handle_endtag(self, tag: str) -> None:
        self._code -= tag in {"code", "pre"}

    def handle_data(self, data: str) -> None:
        self.all.append(data)
        if not self._code:
            self.loose.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(f"<!--{data}-->")


def read(markdown: str) -> _Reader:
    reader = _Reader()
    reader.feed(cmarkgfm.github_flavored_markdown_to_html(markdown, options=_OPTIONS))
    reader.close()
    return reader


def seen(markdown: str) -> str:
    """The words a person sees."""
    return "".join(read(markdown).all)


def nothing_is_smuggled(markdown: str, links: tuple[str, ...] = ()) -> None:
    """Of all that stands in the text from elsewhere nothing is more than text; `links` are ours."""
    found = read(markdown)
    assert found.tags <= OUR_TAGS
    assert set(found.links) <= set(links)
    assert set(found.comments) <= MARKERS
    assert len(found.comments) <= 1
    assert markdown.count("<!--") == len(found.comments)
    for loose in found.loose:
        for name, pattern in _MADE_SOMETHING_OF.items():
            assert not re.search(pattern, loose), (name, loose)
    assert not _COMMAND.search(markdown)
    _the_other_agrees(markdown, links)


def _the_other_agrees(markdown: str, links: tuple[str, ...]) -> None:
    for token in _flat(MarkdownIt("gfm-like").parse(markdown)):
        assert token.type != "image"
        if token.type == "link_open":
            assert token.attrs["href"] in links
        if token.type in {"html_inline", "html_block"}:
            html = token.content.strip()
            assert html in MARKERS or OUR_HTML.fullmatch(html), html


def _flat(tokens: list[Token]) -> list[Token]:
    return [each for token in tokens for each in (token, *_flat(token.children or []))]
