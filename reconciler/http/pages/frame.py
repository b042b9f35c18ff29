"""What all pages have around their content: the way to the others, who is looking, and how a page is kept to itself.
Decides nothing of what a page says."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from reconciler.http.pages.assets import SCRIPT, STYLE
from reconciler.render.html.markup import NOTHING, Content, Markup, joined, tag

#: Only what this server serves by itself. The picture of a plan says in `style` how wide it is, and nothing else does.
POLICY: Final = (
    "default-src 'none'; style-src 'self'; style-src-attr 'unsafe-inline'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: The field of a form that holds `Visitor.token`.
PROOF: Final = "form"
_PAGES: Final[Sequence[tuple[str, str]]] = (
    ("/", "Packs"),
    ("/access", "Who can see what"),
    ("/upload", "Hand in a pack"),
    ("/docs", "API"),
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at a page."""

    #: As `Caller.name`; empty: nobody is signed in, and nobody may look without that.
    name: str = ""
    can_write: bool = False
    #: With a key of their own, which they can put away again.
    is_signed_in: bool = False
    #: Shows that a form comes from a page of this visitor's.
    token: str = ""


def framed(title: str, *content: Content, visitor: Visitor, here: str = "", head: Markup = NOTHING) -> str:
    """The whole page; `here` is the address of the one of the main pages it belongs to."""
    body = tag(
        "body",
        tag("a", "Skip to the content", href="#content", class_="skip"),
        tag("header", *_banner(visitor, here), class_="site"),
        tag("main", tag("h1", title), *content, id="content", tabindex="-1"),
    )
    return f"<!doctype html>\n{tag('html', _head(title, head), body, lang='en').html}\n"


def posting(action: str, *content: Content, visitor: Visitor, has_file: bool = False, class_: str = "") -> Markup:
    """A form that changes something."""
    return tag(
        "form",
        tag("input", type="hidden", name=PROOF, value=visitor.token),
        *content,
        method="post",
        action=action,
        enctype="multipart/form-data" if has_file else None,
        class_=class_ or None,
    )


def message(*content: Content, tone: str = "trouble") -> Markup:
    """What has just happened; read out where a page is read out."""
    return tag("div", *content, class_=f"message {tone}-message", role="alert" if tone == "trouble" else "status")


def link(path: str, parameters: Mapping[str, str]) -> str:
    """With those that are not empty."""
    given = {name: value for name, value in parameters.items() if value}
    return f"{path}?{urlencode(given, errors='replace')}" if given else path


def choice(name: str, chosen: str, options: Mapping[str, str]) -> Markup:
    """A list to choose from, what is sent by what is said; what is chosen is in it, whatever it is."""
    known = options if chosen in options else {**options, chosen: chosen}
    return tag(
        "select",
        *(tag("option", said, value=value, selected=value == chosen) for value, said in known.items()),
        name=name,
        id=name,
    )


def labelled(name: str, said: str, field: Markup, hint: str = "") -> Markup:
    """`field` has the id `name`, and, with a hint, says that it is described by `name`-hint."""
    told = tag("span", hint, class_="hint", id=f"{name}-hint") if hint else NOTHING
    return tag("div", tag("label", said, for_=name), field, told, class_="labelled")


def _head(title: str, more: Markup) -> Markup:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title} · Share packs"),
        tag("link", rel="icon", href="/icon.svg", type="image/svg+xml"),
        tag("link", rel="stylesheet", href=STYLE.address),
        tag("script", src=SCRIPT.address, defer=True),
        more,
    )


def _banner(visitor: Visitor, here: str) -> Iterator[Markup]:
    yield tag("a", "Share packs", href="/", class_="brand")
    pages = [each for each in _PAGES if visitor.can_write or each[0] != "/upload"]
    links = (tag("li", _page_link(address, said, here)) for address, said in pages)
    yield tag("nav", tag("ul", joined(links)), aria_label="Pages")
    yield tag("div", *_who(visitor), class_="visitor")


def _page_link(address: str, said: str, here: str) -> Markup:
    return tag("a", said, href=address, aria_current="page" if address == here else None)


def _who(visitor: Visitor) -> Iterator[Markup]:
    if visitor.name:
        yield tag("bdi", visitor.name)
    if visitor.is_signed_in:
        yield posting("/sign-out", tag("button", "Sign out", class_="plain"), visitor=visitor)
    else:
        yield tag("a", "Sign in", href="/sign-in")
