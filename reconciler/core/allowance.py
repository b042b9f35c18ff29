"""Objections are lifted one by one, by name: on the command line for one run, or by a reviewed entry in the pack until
a day. Nothing lifts them all."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import date
from typing import Final

from reconciler.core.guard import Objection
from reconciler.core.key import Key, normal_name, parse_key
from reconciler.core.pack import Allowance

#: The first word of an allowance, and what it lets happen.
ACTIONS: Final = {
    "delete": "delete the resource although more goes than the limits let go",
    "revoke": "take grants or objects away although more goes than the limits let go",
    "replace": "delete the recipient and make it anew, with a new token",
    "open-ips": "empty the list of addresses, so that every address may read",
    "any-ip": "let (nearly) every address in",
    "whole-schema": "grant a D2O recipient all of a schema, with what is added to it later",
}

#: Not an entry of a pack: what is approved inside a pack was written by whoever wants it.
APPROVE: Final = "approve"
#: Characters of a fingerprint that people type; 64 bits are not found by trying.
_SHORT: Final = 16
_FINGERPRINT: Final = re.compile(rf"[0-9a-f]{{{_SHORT}}}")


def lift_of(action: str, key: Key, detail: str = "") -> str:
    """`delete:share/x`; with a detail `whole-schema:share/x/partner`."""
    return f"{action}:{key}/{detail}" if detail else f"{action}:{key}"


def approval_lift(fingerprint: str) -> str:
    """`approve:1a2b3c4d5e6f7a8b`: what a pack's plan does, with nothing added."""
    return f"{APPROVE}:{fingerprint[:_SHORT]}"


def normal_approval(text: str) -> str | None:
    """What a person wrote, as `approval_lift` says it; None when it is something else."""
    word, colon, rest = text.strip().lower().partition(":")
    prefix = rest.strip()
    return f"{APPROVE}:{prefix}" if colon and word.strip() == APPROVE and _FINGERPRINT.fullmatch(prefix) else None


def normal_lift(text: str) -> str | None:
    """What a person wrote, as an objection says it; None when it is not the words of any."""
    action, colon, rest = text.strip().partition(":")
    kind, _, names = rest.strip().partition("/")
    name, slash, detail = names.partition("/")
    key = parse_key(f"{kind}/{name}")
    if not colon or key is None or action.strip().lower() not in ACTIONS:
        return None
    is_detailed = action.strip().lower() == "whole-schema"
    if bool(slash and detail.strip()) != is_detailed:
        return None
    return lift_of(action.strip().lower(), key, normal_name(detail))


def lifts_in_force(allowances: Iterable[Allowance], today: date) -> frozenset[str]:
    """An entry counts through its last day."""
    return frozenset(each.action for each in allowances if today <= each.until)


def weighed(objections: Iterable[Objection], lifts: Collection[str]) -> tuple[tuple[Objection, ...], tuple[str, ...]]:
    """What still stands, and the words that lifted the rest."""
    standing: list[Objection] = []
    lifted: list[str] = []
    for objection in objections:
        if objection.lift and objection.lift in lifts:
            lifted.append(objection.lift)
        else:
            standing.append(objection)
    return tuple(standing), tuple(dict.fromkeys(lifted))


def expired(allowances: Iterable[Allowance], objections: Iterable[Objection], today: date) -> Iterator[Objection]:
    """The objections, saying of each that an entry lifted it until some day, if one did."""
    ended = {each.action: each.until for each in allowances if today > each.until}
    for objection in objections:
        until = ended.get(objection.lift)
        if until is None:
            yield objection
        else:
            yield replace(objection, message=f"{objection.message}; the entry that allowed it ended on {until}")
