"""One pack or tenants file in normal form: the same meaning, the same comments, in the documented order and layout.

What has problems is not touched, and neither is what would not read back the same: both are told."""

from collections import Counter
from dataclasses import dataclass
from itertools import dropwhile
from typing import TypeAlias

from reconciler.core.problem import Problem
from reconciler.packs.arranging import PACK_ORDER, TENANTS_ORDER, Order, arrange, in_any_order
from reconciler.packs.comment_places import block_comment, comments_between, read_commented
from reconciler.packs.commented import Collection, Document, Scalar, read_document
from reconciler.packs.file_names import is_tenants_file
from reconciler.packs.laying_out import laid_out
from reconciler.packs.parsing import parse_file, read_tree, yaml_text
from reconciler.packs.tenants import read_tenants
from reconciler.packs.tree import Flaw


@dataclass(frozen=True, slots=True)
class Formatted:
    before: bytes
    data: bytes

    @property
    def is_changed(self) -> bool:
        return self.data != self.before


@dataclass(frozen=True, slots=True)
class HasProblems:
    """It is not formatted before they are corrected."""

    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class NotTheSame:
    """Formatted, it would say something else, or lose a comment. Ours to correct."""

    reason: str


Outcome: TypeAlias = Formatted | HasProblems | NotTheSame


def format_file(path: str, data: bytes) -> Outcome:
    """`path` ends like YAML; its name tells whether it is a pack or the tenants file."""
    problems = read_tenants(path, data, "").problems if is_tenants_file(path) else parse_file(path, data).problems
    text = yaml_text(data)
    if any(problem.is_error for problem in problems) or isinstance(text, Flaw):
        return HasProblems(problems)
    order = TENANTS_ORDER if is_tenants_file(path) else PACK_ORDER
    formatted = _formatted(text, order)
    if formatted is None:
        return NotTheSame("it is not a mapping of keys to values")
    reason = _difference(path, data, formatted, order)
    return NotTheSame(reason) if reason else Formatted(data, formatted.encode())


def _formatted(text: str, order: Order) -> str | None:
    document = read_commented(text)
    if document is None:
        return None
    arrange(document.root, order)
    document.head = _head(document)
    return laid_out(document)


def _head(document: Document) -> list[str]:
    """Without blank lines before it, and apart from what is about the first key."""
    lines = list(dropwhile(lambda text: not text, document.head))
    is_apart = not lines or not lines[-1] or not document.root.entries[0].above
    return lines if is_apart else [*lines, ""]


def _difference(path: str, data: bytes, formatted: str, order: Order) -> str:
    """What is not the same after it; "" when all is."""
    before, after = read_tree(path, data), read_tree(path, formatted.encode())
    if after.flaws or in_any_order(before.data, order) != in_any_order(after.data, order):
        return "formatted, it would not say the same"
    text = data.decode("utf-8-sig")
    return "" if _all_comments(text) == _all_comments(formatted) else "formatted, a comment would be lost"


def _all_comments(text: str) -> Counter[str]:
    document = read_document(text)
    inside = _block_comments(document.root) if document is not None else []
    return Counter([*(comment.text for comment in comments_between(text)), *inside])


def _block_comments(collection: Collection) -> list[str]:
    found: list[str] = []
    for entry in collection.entries:
        if isinstance(entry.value, Scalar):
            found.extend(filter(None, [block_comment(entry.value)]))
        else:
            found.extend(_block_comments(entry.value))
    return found
