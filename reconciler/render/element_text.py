"""How single values, data objects and federation policies read in a line. A notebook is only ever its digest."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, assert_never

from reconciler.core.changes import Element
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.recipient import FederationPolicy
from reconciler.core.share import NotebookContent, ObjectType, Partition, SharedObject, partition_text
from reconciler.render.lines import Line, Span, Tone, line, pad, width

LONGEST_VALUE: Final = 200
_FIELD: Final = 13
#: What an empty value of a field means, where it is more than an empty text.
_EMPTY: Final = {
    "partitions": "all of the table",
    "history": "unset",
    "cdf": "unset",
    "start_version": "unset",
    "expires_at": "never",
    "token_lifetime": "unset",
    "rotate_every": "unset",
    "rotation_overlap": "unset",
    "protect": "no",
    "content": "none on record",
}
#: Fields whose values are no free text: they stand without quotes.
_BARE: Final = frozenset(_EMPTY)


def field_line(name: str, *spans: Span) -> Line:
    return line(f"      {pad(name, max(_FIELD, width(name) + 2))}", *spans)


def attribute_line(name: str, *spans: Span) -> Line:
    """An attribute of the object that the line above names."""
    return line(" " * (6 + _FIELD + 4), pad(name, max(_FIELD, width(name) + 2)), *spans)


def note_line(text: str, tone: Tone = Tone.DIM) -> Line:
    return line(Span(f"      {text}", tone))


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def cut_line(hidden: int, what: str = "") -> Line:
    """How many a cut hides."""
    return field_line("", Span(f"… and {hidden:,} more{what} (--full shows all)"))


def shortened(text: str) -> str:
    if len(text) <= LONGEST_VALUE:
        return text
    return f"{text[:LONGEST_VALUE]}… (+{len(text) - LONGEST_VALUE:,} characters)"


def quoted(value: str) -> str:
    if len(value) <= LONGEST_VALUE:
        return f'"{value}"'
    return f'"{value[:LONGEST_VALUE]}…" (+{len(value) - LONGEST_VALUE:,} characters)'


def value_text(field: str, value: str) -> str:
    """A value as a `ValueSet` has it, for people."""
    if field.startswith("properties.") and not value:
        return "none"
    if field not in _BARE:
        return quoted(value)
    if not value:
        return _EMPTY[field]
    return _BARE_TEXT.get(field, shortened)(value)


def _moment(value: str) -> str:
    """`2027-01-31T00:00:00Z` as every other moment is written."""
    return value.replace("T", " ").replace("Z", " UTC")


def _digest(value: str) -> str:
    return f"sha256 {value}"


_BARE_TEXT: Final[Mapping[str, Callable[[str], str]]] = {"content": _digest, "expires_at": _moment}


def gone_text(element: Element) -> str:
    """Of an object that goes, only what it is: how much of it was shared goes with it."""
    return object_title(element) if isinstance(element, SharedObject) else element_text(element)


def element_text(element: Element) -> str:
    match element:
        case str():
            return element
        case FederationPolicy():
            return policy_text(element)
        case SharedObject():
            return object_text(element)
        case _:
            assert_never(element)


def policy_text(policy: FederationPolicy) -> str:
    """Never cut: it says who is let in."""
    audiences = f", audience {', '.join(sorted(policy.audiences))}" if policy.audiences else ""
    comment = f", {quoted(policy.comment)}" if policy.comment else ""
    return f"{policy.name}: {policy.subject_claim} {policy.subject} at {policy.issuer}{audiences}{comment}"


def object_text(item: SharedObject) -> str:
    """The object, and how much of it is shared where that is not simply all."""
    return ", ".join([object_title(item), *_options(item)])


def object_title(item: SharedObject) -> str:
    """Its name, what it is unless it is a table, and its alias unless that is what it is called anyway."""
    alias = f" as {item.shared_as}" if _is_renamed(item) else ""
    return f"{item.name}{_kind(item)}{alias}"


def _kind(item: SharedObject) -> str:
    match item.type:
        case ObjectType.TABLE:
            return ""
        case ObjectType.SCHEMA:
            return " (all of the schema)"
        case ObjectType():
            return f" ({item.type.words})"
        case _:
            return " (all of the schema)" if item.name.count(".") == 1 else ""


def _is_renamed(item: SharedObject) -> bool:
    default = item.name if item.type == ObjectType.NOTEBOOK_FILE else item.name.partition(".")[2]
    return item.shared_as is not UNMANAGED and item.shared_as not in {"", default}


def _options(item: SharedObject) -> Iterator[str]:
    yield from _partitions(item.partitions)
    if item.history is True:
        yield "with history"
    if item.cdf is True and item.history is not True:
        yield "with change feed"
    if item.start_version is not UNMANAGED and item.start_version:
        yield f"from version {item.start_version}"
    yield from _content(item.content)
    if item.comment is not UNMANAGED and item.comment:
        yield quoted(item.comment)


def _partitions(partitions: Managed[frozenset[Partition]]) -> Iterator[str]:
    if partitions is not UNMANAGED and partitions:
        yield f"only where {shortened(' OR '.join(sorted(map(partition_text, partitions))))}"


def _content(content: Managed[NotebookContent]) -> Iterator[str]:
    if content is not UNMANAGED:
        yield f"content sha256 {content.digest[:12]}"
