"""A packs folder that was read as a whole and found without an error, in so much as the next reading needs to be sure
that it may read less: which contents it had, and the footprint of each pack. What the packs say is not in it."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Protocol

from reconciler.core.key import Kind
from reconciler.core.pack import SharePack
from reconciler.packs.footprint import Footprints

_FORMAT: Final = 1
_KINDS: Final = (Kind.RECIPIENT, Kind.SHARE)


@dataclass(frozen=True, slots=True)
class Snapshot:
    #: Stands for all else that reading depends on: this program, the folder, the default workspace.
    basis: str
    #: When it was read. What has an end (an exception far ahead) may only become right later, never wrong.
    day: date
    #: Id of the content, by path, of every file of the folder.
    ids: Mapping[str, str]
    #: By path, of every pack.
    footprints: Footprints
    #: Where each pack is, and how much it has: by path, the workspace and the number of recipients and of shares.
    held: Mapping[str, tuple[str, int, int]]


class Snapshots(Protocol):
    """Where snapshots are kept from one run to the next. They only save time: one that is lost, damaged or of another
    program is as if it had never been there."""

    def basis(self, *parts: str) -> str:
        """Stands for these parts and for the program that reads packs."""

    def newest(self, basis: str, today: date) -> Iterator[Snapshot]:
        """Those that may be believed today, the one used last first. Never raises."""

    def keep(self, snapshot: Snapshot) -> None:
        """Never raises: where it cannot be kept, the next run takes longer."""


def held(packs: Iterable[SharePack]) -> dict[str, tuple[str, int, int]]:
    recipients, shares = _KINDS
    return {pack.path: (pack.workspace, _number(pack, recipients), _number(pack, shares)) for pack in packs}


def _number(pack: SharePack, kind: Kind) -> int:
    return sum(key.kind is kind for key in pack.resources)


def most(held: Iterable[tuple[str, int, int]], workspaces: Collection[str]) -> Mapping[Kind, int]:
    """How many of each kind there are in the fullest of these workspaces."""
    totals: dict[str, list[int]] = {workspace: [0, 0] for workspace in workspaces}
    for workspace, recipients, shares in held:
        if workspace in totals:
            totals[workspace][0] += recipients
            totals[workspace][1] += shares
    return {kind: max((total[n] for total in totals.values()), default=0) for n, kind in enumerate(_KINDS)}


def encode(snapshot: Snapshot) -> bytes:
    footprints = {path: [sorted(each.declares), sorted(each.mentions)] for path, each in snapshot.footprints.items()}
    content = {
        "format": _FORMAT,
        "basis": snapshot.basis,
        "day": snapshot.day.isoformat(),
        "ids": dict(snapshot.ids),
        "footprints": footprints,
        "held": snapshot.held,
    }
    return json.dumps(content, separators=(",", ":"), ensure_ascii=True).encode()


def decode(data: bytes) -> Snapshot | None:
    """None for anything that `encode` would not have written."""
    try:
        return _decoded(json.loads(data))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _decoded(content: Any) -> Snapshot | None:
    if content["format"] != _FORMAT:
        return None
    ids = content["ids"]
    held = {path: (place, recipients, shares) for path, (place, recipients, shares) in content["held"].items()}
    footprints = {path: (declares, mentions) for path, (declares, mentions) in content["footprints"].items()}
    if not (footprints.keys() == held.keys() and footprints.keys() <= ids.keys()):
        return None
    return Snapshot(content["basis"], date.fromisoformat(content["day"]), ids, Footprints(footprints), held)
