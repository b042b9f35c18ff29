"""A tree with comments to YAML text: two blanks a level, dashes under their key, quotes only where they are needed,
brackets where they were and fit the line."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final

import yaml

from reconciler.packs.commented import Collection, Document, Entry, Scalar
from reconciler.packs.yaml_file import is_plain_text, split_lines

WIDTH: Final = 120
_TEXT_WIDTH: Final = 100
_TEXT_TAG: Final = "tag:yaml.org,2002:str"
_LEADING: Final = frozenset("-?:,[]{}#&*!|>'\"%@`")
_IN_BRACKETS: Final = frozenset(",[]{}:?")
_WORDS: Final = re.compile(r"[^\s]+(?: [^\s]+)*")


def laid_out(document: Document) -> str:
    """Ends with one line break, and so does every line."""
    marker = ["---"] if document.marker >= 0 else []
    lines = [*document.preamble, *marker, *document.head, *_block(document.root, 0)]
    return "".join(f"{line}\n" for line in lines)


def _block(collection: Collection, indent: int) -> Iterator[str]:
    pad = " " * indent
    for entry in collection.entries:
        yield from (pad + text if text else "" for text in entry.above)
        yield from _entry(entry, indent)
    yield from (pad + text if text else "" for text in collection.tail)


def _entry(entry: Entry, indent: int) -> Iterator[str]:
    before = " " * indent + ("-" if entry.key is None else f"{one_line(entry.key)}:")
    beside = f"  {entry.beside}" if entry.beside else ""
    if isinstance(entry.value, Scalar):
        first, *more = _scalar_lines(entry.value, before, indent + 2)
        yield f"{before} {first}".rstrip(" ") + beside
        yield from more
    elif (brackets := _in_line(entry.value, len(before) + 1)) is not None:
        yield f"{before} {brackets}{beside}"
    elif entry.key is not None:
        yield before + beside
        yield from _block(entry.value, indent + 2)
    else:
        if entry.beside:
            yield " " * indent + entry.beside
        first, *more = _block(entry.value, indent + 2)
        yield f"{before} {first[indent + 2 :]}"
        yield from more


def _in_line(collection: Collection, column: int) -> str | None:
    if collection.entries and not collection.is_flow:
        return None
    text = _brackets(collection)
    return text if column + len(text) <= WIDTH or not collection.entries else None


def _brackets(value: Scalar | Collection) -> str:
    if isinstance(value, Scalar):
        return one_line(value, in_brackets=True)
    inner = [_brackets(entry.value) for entry in value.entries]
    if not value.is_mapping:
        return f"[{', '.join(inner)}]"
    keys = [one_line(entry.key, in_brackets=True) for entry in value.entries if entry.key is not None]
    return "{" + ", ".join(f"{key}: {text}" for key, text in zip(keys, inner, strict=True)) + "}"


def one_line(scalar: Scalar, *, in_brackets: bool = False) -> str:
    """As it was written, unless quotes are not needed or it takes several lines."""
    is_as_it_was = scalar.is_on_one_line and not scalar.is_block
    if not scalar.style and is_as_it_was:
        return scalar.raw
    if is_plain(scalar.value, in_brackets=in_brackets):
        return scalar.value
    return scalar.raw if is_as_it_was else _quoted(scalar.value)


def is_plain(text: str, *, in_brackets: bool = False) -> bool:
    """Without quotes it is the same text, for readers of YAML 1.1 as well, and not only by the letter of the rules."""
    if not text or text != text.strip() or not text.isprintable() or text[0] in _LEADING:
        return False
    if ": " in text or " #" in text or text[-1] == ":" or text.startswith(("---", "...")):
        return False
    return not (in_brackets and not _IN_BRACKETS.isdisjoint(text)) and _is_read_as_text(text)


@cache
def _resolver() -> Any:
    return yaml.resolver.Resolver()


def _is_read_as_text(text: str) -> bool:
    return is_plain_text(text) and bool(_resolver().resolve(yaml.ScalarNode, text, (True, False)) == _TEXT_TAG)


def _scalar_lines(scalar: Scalar, before: str, indent: int) -> Sequence[str]:
    pad = " " * indent
    body = _body(scalar)
    if body is not None:
        chomping = "" if scalar.value.endswith("\n") else "-"
        return [scalar.style + chomping, *(pad + line if line else "" for line in body)]
    text = one_line(scalar)
    is_folded = not scalar.is_block and not scalar.is_on_one_line and _WORDS.fullmatch(scalar.value)
    if is_folded and scalar.value.isprintable() and len(before) + 1 + len(text) > WIDTH:
        return [">-", *(pad + line for line in _wrapped(scalar.value, _TEXT_WIDTH - indent))]
    return [text]


def _body(scalar: Scalar) -> Sequence[str] | None:
    """The lines of a block scalar that can be one in our indentation, without that."""
    if not scalar.is_block:
        return None
    text = scalar.value.removesuffix("\n")
    is_simple = bool(text) and not text[0].isspace() and text[-1] != "\n"
    if not is_simple or not all(line.isprintable() or "\t" in line for line in text.split("\n")):
        return None
    if scalar.style == "|":
        return text.split("\n")
    header, *lines = split_lines(scalar.raw)
    if any(each.isdigit() for each in header.partition("#")[0]):
        return None
    first = next(line for line in lines if line.strip())
    depth = len(first) - len(first.lstrip(" "))
    written = [line[depth:] for line in lines]
    while written and not written[-1].strip():
        written.pop()
    return written


def _wrapped(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > width:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line


def _quoted(text: str) -> str:
    return str(yaml.dump(text, Dumper=yaml.SafeDumper, default_style='"', allow_unicode=True, width=10**9)).strip()
