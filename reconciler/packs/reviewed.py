"""The checks of what a pack asks reviewers for: exceptions from objections of a plan, and resources it lets go of."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from reconciler.core.allowance import ACTIONS, normal_lift
from reconciler.core.key import Key, Kind, parse_key
from reconciler.core.problem import Severity
from reconciler.packs.document import AllowanceEntry, PackDocument
from reconciler.packs.durations import a_year_after, day, moment
from reconciler.packs.finding import Finding, meant, shown
from reconciler.packs.names import is_name
from reconciler.packs.texts import check_text, same_entries
from reconciler.packs.tree import Loc

#: Whom an action can be about, where it is not everything.
_ABOUT: Final = {
    "replace": Kind.RECIPIENT,
    "open-ips": Kind.RECIPIENT,
    "any-ip": Kind.RECIPIENT,
    "whole-schema": Kind.SHARE,
}


def allowed_key(action: str, workspace: str = "") -> Key | None:
    """The resource that the words of an exception are about; None when they are not understood."""
    normal = normal_lift(action)
    if normal is None:
        return None
    word, _, named = normal.partition(":")
    kind, name = named.split("/")[:2]
    key = parse_key(f"{kind}/{name}", workspace)
    return key if key is not None and _ABOUT.get(word, key.kind) is key.kind and is_name(key.name) else None


def is_about_declared(action: str) -> bool:
    """Whether the exception is for something that the pack goes on declaring."""
    return action.strip().partition(":")[0].strip().lower() in _ABOUT


def released_key(text: str, workspace: str = "") -> Key | None:
    key = parse_key(text.strip(), workspace)
    return key if key is not None and is_name(key.name) else None


def check_reviewed(pack: PackDocument) -> Iterator[Finding]:
    for number, entry in enumerate(pack.allow):
        yield from _allowance(entry, ("allow", number))
    yield from _same_actions(pack)
    for number, text in enumerate(pack.release):
        if released_key(text) is None:
            message = f"{shown(text)} is not a resource"
            yield Finding(("release", number), "release-invalid", message, "write share/NAME or recipient/NAME")
    keys = [released_key(text) for text in pack.release]
    yield from same_entries(pack.release, [None if key is None else str(key) for key in keys], ("release",))


def _allowance(entry: AllowanceEntry, loc: Loc) -> Iterator[Finding]:
    if allowed_key(entry.action) is None:
        message = f"{shown(entry.action)} are not the words of an objection"
        yield Finding((*loc, "action"), "allow-action-invalid", message, _action_hint(entry.action))
    if day(entry.until) is None:
        message = f"{shown(entry.until)} is not a day"
        yield Finding(
            (*loc, "until"), "allow-until-invalid", message, "write the last day on which it counts: 2027-01-31"
        )
    if not entry.reason.strip():
        yield Finding((*loc, "reason"), "text-empty", '"reason" is empty', "say why it is right")
    yield from check_text(entry.reason, (*loc, "reason"))


def _action_hint(text: str) -> str:
    word = text.strip().partition(":")[0].strip().lower()
    if word not in ACTIONS:
        return meant(word, ACTIONS, f"it begins with one of {', '.join(ACTIONS)}, then a colon")
    if word == "whole-schema":
        return "write whole-schema:share/NAME/RECIPIENT"
    return (
        f"write {word}:{_ABOUT[word]}/NAME" if word in _ABOUT else f"write {word}:share/NAME or {word}:recipient/NAME"
    )


def _same_actions(pack: PackDocument) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for number, entry in enumerate(pack.allow):
        normal = normal_lift(entry.action)
        if normal is not None and first.setdefault(normal, number) != number:
            message = f"{shown(entry.action)} stands in this list already"
            also: Loc = ("allow", first[normal], "action")
            yield Finding(("allow", number, "action"), "list-duplicate", message, "remove one of the two", also=also)


def check_days(pack: PackDocument, today: date) -> Iterator[Finding]:
    """What depends on the day. What was right once is never an error: a file must not turn unreadable overnight, for
    then nothing of its business line could be revoked."""
    for number, allowance in enumerate(pack.allow):
        at: Loc = ("allow", number, "until")
        until = day(allowance.until)
        if until is not None and until > a_year_after(today):
            message = f"{until} is more than a year ahead"
            yield Finding(at, "allow-until-too-far", message, f"write {a_year_after(today)} or an earlier day")
        elif until is not None and until < today:
            message = f"this exception ended on {until} and does not count any more"
            yield Finding(at, "allow-expired", message, "remove it, or have a later day reviewed", Severity.WARNING)
    for number, recipient in enumerate(pack.recipient):
        end = None if recipient.expires_at is None else moment(recipient.expires_at)
        if end is not None and end.date() < today:
            message = f"the token of {shown(recipient.name)} was to end on {end.date()}, which has passed"
            hint = "remove the recipient or the date, or rotate its token and write a later one"
            yield Finding(("recipient", number, "expires_at"), "expiry-past", message, hint, Severity.WARNING)
