"""Checks of single texts and of lists of them, whatever field they stand in."""

from collections.abc import Iterable, Iterator, Sequence

from reconciler.packs.document import MAX_NAME, MAX_TEXT
from reconciler.packs.finding import Finding, meant, shown
from reconciler.packs.names import control_character, is_email, is_name, name_like
from reconciler.packs.tree import Loc


def same_entries(texts: Sequence[str], normal: Iterable[str | None], loc: Loc) -> Iterator[Finding]:
    """A finding for each text that says the same as an earlier one; what has no normal form is left to other checks."""
    first: dict[str, int] = {}
    for number, same in enumerate(normal):
        if same and first.setdefault(same, number) != number:
            text, earlier = texts[number], texts[first[same]]
            also = "" if earlier == text else f", as {shown(earlier)}"
            message = f"{shown(text)} stands in this list already{also}"
            yield Finding((*loc, number), "list-duplicate", message, "remove one of the two", also=(*loc, first[same]))


def check_name(text: str, loc: Loc, kind: str) -> Iterator[Finding]:
    if not text.strip():
        yield Finding(loc, "text-empty", f"the {kind}'s name is empty", "write a name")
    elif len(text.strip()) > MAX_NAME:
        message = f"the {kind}'s name has {len(text.strip())} characters"
        yield Finding(loc, "name-too-long", message, f"use at most {MAX_NAME}")
    elif not is_name(text.strip()):
        message = f"{shown(text)} is not a name: no spaces, dots, slashes or control characters"
        yield Finding(loc, "name-invalid", message, f'write for example "{name_like(text)}"')


def check_title(text: str, loc: Loc) -> Iterator[Finding]:
    if not text.strip():
        yield Finding(loc, "text-empty", f'"{_label(loc)}" is empty', "write a value")
    elif len(text) > MAX_NAME:
        yield _too_long(text, loc, MAX_NAME)
    elif bad := control_character(text) or ("U+000A" if "\n" in text or "\t" in text else ""):
        yield _control(bad, loc)


def check_text(text: str | None, loc: Loc) -> Iterator[Finding]:
    if text is not None and len(text) > MAX_TEXT:
        yield _too_long(text, loc, MAX_TEXT)
    elif text and (bad := control_character(text)):
        yield _control(bad, loc)


def _label(loc: Loc) -> str:
    """The key that a value stands under, also when it stands in a list."""
    return shown(str(next((part for part in reversed(loc) if isinstance(part, str)), "")))[1:-1]


def _too_long(text: str, loc: Loc, limit: int) -> Finding:
    return Finding(loc, "text-too-long", f'"{_label(loc)}" has {len(text):,} characters', f"use at most {limit:,}")


def _control(bad: str, loc: Loc) -> Finding:
    message = f'"{_label(loc)}" holds the character {bad}, which is not seen or moves what is'
    return Finding(loc, "text-control-character", message, "remove it")


def check_line(text: str | None, loc: Loc, hint: str = "write a value, or leave the key out") -> Iterator[Finding]:
    """A text that is not empty, where there is one, and stands on one line."""
    if text is not None and not text.strip():
        yield Finding(loc, "text-empty", f'"{_label(loc)}" is empty', hint)
    elif text is not None:
        yield from check_title(text, loc)


def check_email(text: str, loc: Loc) -> Iterator[Finding]:
    if not text.strip():
        yield Finding(loc, "text-empty", f'"{_label(loc)}" is empty', "write an e-mail address")
    elif not is_email(text.strip()):
        yield Finding(loc, "email-invalid", f"{shown(text)} is not an e-mail address", "write it like ann@example.com")


def unknown_word(word: str, known: Sequence[str]) -> str:
    return meant(word, known, f"known are {', '.join(sorted(known)[:10]) or 'none'}")
