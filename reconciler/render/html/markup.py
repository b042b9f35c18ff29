"""The only place where text becomes HTML. A string is always text: escaped, and with control and bidirectional
characters made visible. Only a `Markup` is taken as it is, and only this module makes one out of strings."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Final, TypeAlias

from reconciler.render.lines import visible


@dataclass(frozen=True, slots=True)
class Markup:
    html: str


Content: TypeAlias = "str | Markup"
#: Attributes: true stands alone, false and None are left out.
Value: TypeAlias = str | int | float | bool | None

NOTHING: Final = Markup("")
_VOID: Final = frozenset({"input", "link", "meta", "br"})


def text(content: str) -> Markup:
    return Markup(escape(visible(content), quote=True))


def tag(name: str, /, *content: Content, **attributes: Value) -> Markup:
    """`class_` and `for_` lose their underscore, others turn theirs into hyphens."""
    opened = f"<{name}{''.join(_attribute(*each) for each in attributes.items())}>"
    if name in _VOID:
        return Markup(opened)
    return Markup(f"{opened}{joined(content).html}</{name}>")


def joined(parts: Iterable[Content], between: str = "") -> Markup:
    return Markup(between.join((part if isinstance(part, Markup) else text(part)).html for part in parts))


def _attribute(name: str, value: Value) -> str:
    if value is None or value is False:
        return ""
    hyphened = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {hyphened}"
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    return f' {hyphened}="{text(shown).html}"'
