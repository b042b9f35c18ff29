"""A page as a parser sees it, for tests of what it is made of."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"meta", "link", "input", "br"})


@dataclass(frozen=True)
class Element:
    tag: str
    attributes: dict[str, str]
    #: Tags it stands in, outermost first.
    inside: tuple[str, ...]
    #: Of this element and all in it.
    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.parts)

    @property
    def classes(self) -> set[str]:
        return set(self.attributes.get("class", "").split())


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.open: list[Element] = []
        #: Comments, declarations, and tags that do not match.
        self.strange: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(set(names)) != len(names):
            self.strange.append(f"{tag} {names}")
        element = Element(tag, {name: value or "" for name, value in attrs}, tuple(each.tag for each in self.open))
        self.elements.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1].tag != tag:
            self.strange.append(f"</{tag}>")
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.parts.append(data)

    def handle_comment(self, data: str) -> None:
        self.strange.append(data)

    def unknown_decl(self, data: str) -> None:
        self.strange.append(data)

    def handle_pi(self, data: str) -> None:
        self.strange.append(data)


def parse(page: str) -> list[Element]:
    """Raises AssertionError unless every tag is closed where it should be and nothing but tags and text is there."""
    parser = _Parser()
    parser.feed(page)
    parser.close()
    assert parser.strange == []
    assert [each.tag for each in parser.open] == []
    return parser.elements
