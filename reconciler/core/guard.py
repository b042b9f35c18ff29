"""What a plan may not do on its own: objections, as values, each saying what would lift it.

Nothing is deleted or revoked that Git did not attest: the entry stood in a commit we applied and is gone in a
descendant of it. Anything else that removes access is held.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from reconciler.core.changes import Cause, ElementAdded, ElementRemoved, FieldChange, ObjectChanged
from reconciler.core.key import Key, PackId
from reconciler.core.verdict import Adopt, Delete, Rename, Replace, Update, Verdict

HELD_ITSELF: Final = "is held itself"


@dataclass(frozen=True, slots=True)
class Objection:
    rule: str
    message: str
    #: What a person can do about it.
    hint: str
    #: The words that allow it by name (`delete:share/x`), on the command line or in the pack; empty: nothing does.
    lift: str = ""
    #: All that it is about, where the message names only some.
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attestation:
    """Git's word on what may go, for one pack."""

    #: Why nothing of this pack may be removed; empty when removals are attested.
    refusal: str = ""
    hint: str = ""
    #: Resources that stood in the commit they were recorded from and are gone in the one being applied.
    removed: frozenset[Key] = frozenset()
    #: The refusal does not keep what somebody added by hand.
    lets_drift_go: bool = False


@dataclass(frozen=True, slots=True)
class Prerequisites:
    """What a share step builds on."""

    #: Types that the catalog does not know.
    missing: tuple[str, ...] = ()
    #: Names that could not be looked up.
    unknown: tuple[str, ...] = ()
    #: Why a recipient it grants to will not be there, by recipient name.
    blocked: Mapping[str, str] = field(default_factory=dict)
    #: Names, and what stands against sharing the object as the pack says.
    unfit: tuple[tuple[str, str], ...] = ()


def objections(
    key: Key, verdict: Verdict, attestation: Attestation, prerequisites: Prerequisites
) -> tuple[Objection, ...]:
    return (*_attestation_objections(key, verdict, attestation), *prerequisite_objections(prerequisites))


def _attestation_objections(key: Key, verdict: Verdict, attestation: Attestation) -> Iterator[Objection]:
    if isinstance(verdict, Delete):
        if attestation.refusal:
            yield Objection("delete-not-attested", f"deleting it is held: {attestation.refusal}", attestation.hint)
        elif key not in attestation.removed:
            yield Objection(
                "delete-not-attested",
                "deleting it is held: Git does not show that an applied pack declared it and a later commit removed it",
                "declare it again, apply, then remove it in a commit of its own; or delete it by hand",
            )
    elif attestation.refusal and removes_access(verdict) and not (attestation.lets_drift_go and _only_by_hand(verdict)):
        yield Objection("revoke-not-attested", f"taking access away is held: {attestation.refusal}", attestation.hint)


def prerequisite_objections(prerequisites: Prerequisites) -> Iterator[Objection]:
    if prerequisites.missing:
        names = ", ".join(prerequisites.missing)
        yield Objection("object-missing", f"the catalog has no {names}", "correct the name, or create the object first")
    if prerequisites.unknown:
        names = ", ".join(prerequisites.unknown)
        yield Objection(
            "object-unreadable",
            f"the catalog would not show {names}",
            "give the identity that plans USE CATALOG, USE SCHEMA and SELECT on it, or try again later",
        )
    for name, why in prerequisites.unfit:
        yield Objection("object-unfit", f"{name} {why}", "correct the pack, or the object, then plan again")
    for name, why in sorted(prerequisites.blocked.items()):
        yield _blocked(name, why)


def waits_for_held(recipient: str) -> Objection:
    """To a step that needs a recipient which is held itself: gone as soon as that one is let go."""
    return _blocked(recipient, HELD_ITSELF)


def _blocked(recipient: str, why: str) -> Objection:
    return Objection("recipient-missing", f"recipient {recipient} {why}", "settle that first, then plan again")


def removes_access(verdict: Verdict) -> bool:
    """Whether somebody can read less, or from fewer places, afterwards."""
    match verdict:
        case Delete() | Replace():
            return True
        case Update(changes=changes) | Adopt(changes=changes) | Rename(changes=changes):
            return any(isinstance(change, ElementRemoved) or _narrows(change) for change in changes)
        case _:
            return False


def _only_by_hand(verdict: Verdict) -> bool:
    """Whether all that is taken away was added by somebody else."""
    match verdict:
        case Update(changes=changes):
            taken = [change for change in changes if isinstance(change, ElementRemoved) or _narrows(change)]
            return all(change.cause is Cause.DRIFT for change in taken)
        case _:
            return False


def only_removes_access(verdict: Verdict) -> bool:
    """Such steps go first: they need nothing, and nothing should delay them."""
    match verdict:
        case Delete():
            return True
        case Update(changes=changes) | Adopt(changes=changes):
            opens = any(isinstance(change, ElementAdded | ObjectChanged) for change in changes)
            return removes_access(verdict) and not opens
        case _:
            return False


def _narrows(change: FieldChange) -> bool:
    """An object that stays, and of which less is shared."""
    if not isinstance(change, ObjectChanged):
        return False
    return any(
        (each.field == "partitions" and each.after) or (each.field in {"history", "cdf"} and each.after == "off")
        for each in change.sets
    )


Attestations = Mapping[PackId, Attestation]
