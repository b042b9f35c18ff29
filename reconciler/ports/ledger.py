"""Our record: SCD2 rows, plans, work, operations. Every method is one transaction.

Methods that write for a claim check its fence in the same transaction and raise FenceLostError when another worker has
taken over; nothing is written then. What work and records are told in is imported when somebody asks for it here: most
commands ask for neither.
"""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from reconciler.core.retry import Failure
from reconciler.ports.ledger_errors import (
    FenceLostError,
    LedgerError,
    NameTakenError,
    PausedError,
    SupersededError,
    TooNewError,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from uuid import UUID

    from reconciler.core.calls import Operation
    from reconciler.core.holds import Holds, Suspension
    from reconciler.core.key import Key, PackId
    from reconciler.core.policy import Standing
    from reconciler.core.recorded import RecordedPack, RecordedState
    from reconciler.core.resource import Resource
    from reconciler.core.sighting import Sighting
    from reconciler.ports.orders import PackOrder, PlanRecord, Wanted
    from reconciler.ports.records import (
        Daemon,
        DatabaseFacts,
        Figures,
        KeyVersion,
        OperationRecord,
        PackState,
        ShownPlan,
    )
    from reconciler.ports.work import (
        Claim,
        Claimed,
        Done,
        Holder,
        NotDone,
        NothingToClaim,
        Outcome,
        OutcomeUnknown,
        Refused,
        Work,
        WorkStatus,
    )

#: All that speaking to the ledger takes, wherever it stands.
__all__ = [
    "Claim",
    "Claimed",
    "Daemon",
    "DatabaseFacts",
    "Done",
    "FenceLostError",
    "Figures",
    "Holder",
    "KeyVersion",
    "Ledger",
    "LedgerError",
    "NameTakenError",
    "NotDone",
    "NothingToClaim",
    "OperationRecord",
    "Outcome",
    "OutcomeUnknown",
    "PackOrder",
    "PackState",
    "PausedError",
    "PlanRecord",
    "Refused",
    "ShownPlan",
    "SupersededError",
    "TooNewError",
    "Wanted",
    "Work",
    "WorkStatus",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        for module in ("orders", "records", "work") if name in __all__ else ():
            told_in = importlib.import_module(f"reconciler.ports.{module}")
            if name in vars(told_in):
                return vars(told_in)[name]
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Ledger(Protocol):
    async def recorded(self, keys: Collection[Key], packs: Collection[PackId]) -> RecordedState:
        """Current rows of these keys and of everything these packs own, their open intents, and the packs' rows."""

    async def pack_rows(self, packs: Collection[PackId]) -> Mapping[PackId, RecordedPack]:
        """The rows of these packs alone, as `recorded` tells them. They change whenever work is submitted for a pack
        or ends, and nothing that it owns changes otherwise."""

    async def all_packs(self) -> Sequence[PackId]:
        """Every pack on record that is not deleted, or still owns something, or may own it: a call that was begun for
        it has no outcome yet."""

    async def save_plan(self, plan: PlanRecord) -> None:
        """Keep the plan. Saving the same id again changes nothing."""

    async def submit(self, plan: PlanRecord, orders: Sequence[PackOrder]) -> Mapping[PackId, UUID | None]:
        """One transaction: tenants, projects, packs (content, then status IN_PROGRESS), requests, and one work row per
        order that wants something. An order that wants nothing only brings the pack's rows up to date (COMPLETED) and
        has no work: None. Waiting work of an older plan for the same pack is superseded (SKIPPED). An order whose
        `generation` is outdated writes nothing and is left out of the answer."""

    async def reject(self, pack: PackId, path: str, reason: str, commit: str, actor: str) -> None:
        """A file of a known pack no longer validates: status VALIDATION_FAILED with the reason. Unknown packs too, when
        enough of them is known to name them."""

    async def claim(self, worker: str, work_id: UUID, lease: float) -> Claimed:
        """Take this work if it is due, its needs are done, its workspace has not asked to wait and nobody else holds
        the pack. `lease` in seconds. Raises TooNewError."""

    async def due(self, limit: int = 100) -> Sequence[UUID]:
        """Work that could be claimed now, stalled workers' included: narrowing work first, then one of each business
        line in turn, each line's oldest first."""

    async def next_due(self) -> float | None:
        """Seconds until the next work that only waits for its time is due; None when there is none."""

    async def renew(self, claim: Claim, lease: float) -> None:
        """Hold the pack for another `lease` seconds. Raises FenceLostError."""

    async def advance(
        self, claim: Claim, outcomes: Mapping[UUID, Outcome], intents: Mapping[UUID, Operation], words: str = ""
    ) -> None:
        """What came of calls, and which calls are made next, each under an id of the caller's choice.

        An outcome goes into the row of its operation. For Done also, in the same transaction: the resource's version as
        `operation.after` says and its audit row; after a rename, the versions of the old name go on under the new one.
        An intent is a row written before its call; a rename's stands under the new name. `words`: what the pack's
        status line says from now on; a version only when they change. Saying any of it again changes nothing.

        Raises NameTakenError when the record cannot follow a rename, also before the call, and, of intents,
        SupersededError when a newer plan has work for the pack, PausedError while the workspace has asked to wait;
        nothing is written then."""

    async def resolve(self, claim: Claim, key: Key, found: Resource | None, *, renamed_from: str = "") -> None:
        """Reading showed what an unfinished operation left behind: close open intents of `key`, and write the version
        (None: absent) if it differs from the current row. An open rename to `key` counts as done when it is found; with
        the old name there too it was not done, and what was found is another's: resolve to None then."""

    async def settle(
        self, claim: Claim, key: Key, resource: Resource | None, reason: str, *, renamed_from: str = ""
    ) -> None:
        """Bring the rows up to date with what is in the workspace (None: it is not there, or we let go of it), without
        any call. With `renamed_from`, the versions of that name go on as those of `key`, if it is on record. Raises
        NameTakenError when `key` is on record too."""

    async def finish(
        self,
        claim: Claim,
        status: WorkStatus,
        reason: str = "",
        failure: Failure = Failure.NONE,
        outcomes: Mapping[UUID, Outcome] = MappingProxyType({}),
    ) -> Sequence[UUID]:
        """End the work: status of work and pack, applied commit on success, lease given back; with `outcomes` as in
        `advance`. Returns work that became due by this (or was skipped because of it is ended likewise)."""

    async def postpone(
        self,
        claim: Claim,
        seconds: float,
        reason: str,
        outcomes: Mapping[UUID, Outcome] = MappingProxyType({}),
        *,
        unexplained: bool = False,
    ) -> Sequence[UUID]:
        """Try again later: the lease is given back and the work is due after `seconds` (database clock); with
        `outcomes` as in `advance`. Returns work that became due by this: a newer plan's for the same pack."""

    async def pause(self, workspace: str, seconds: float, reason: str) -> None:
        """Nobody calls this workspace for so long. A longer pause that is on record stays."""

    async def pauses(self) -> Mapping[str, float]:
        """Seconds that remain, by workspace."""

    async def distrust(self, workspace: str, share: str) -> None:
        """An object of this share has changed while its `updated_at` has not: nowhere in this workspace does an
        unchanged `updated_at` stand for anything from here on. What was on record first stays."""

    async def distrusted(self) -> frozenset[str]:
        """Workspaces by URL."""

    async def operations(self, work_ids: Collection[UUID]) -> Sequence[OperationRecord]:
        """The calls of these work items, in the order they were begun."""

    async def standings(self, packs: Collection[PackId]) -> Mapping[PackId, Standing]:
        """How the newest work of each of these packs stands; packs without any are left out."""

    async def work(self, ids: Collection[UUID]) -> Sequence[Work]: ...

    async def pack_states(self, pack: PackId | None = None) -> Sequence[PackState]: ...

    async def history(self, kind_and_name: Key) -> Sequence[KeyVersion]:
        """All versions, oldest first; with an empty workspace in the key, of every workspace."""

    async def find_recipients(self, name: str) -> Sequence[Key]:
        """Recipients on record with this name, in any workspace."""

    async def observed(self, pack: PackId, sightings: Mapping[Key, Sighting]) -> None:
        """What a plan saw of this pack's resources; it replaces what was seen before. What is left out is well. A
        drift that was on record keeps its beginning."""

    async def sightings(self) -> Mapping[PackId, Mapping[Key, Sighting]]:
        """What the last plan of each pack on record saw, where there was something."""

    async def holds(self) -> Holds:
        """Those in force by the database's clock."""

    async def suspend(self, pack: PackId, suspension: Suspension) -> None:
        """Takes the place of one that is in force; `since` is the database's, whatever is given."""

    async def resume(self, pack: PackId, by: str) -> Holds:
        """End the suspension of the pack and the contests of its resources. Returns what was ended."""

    async def show_plan(self, shown: ShownPlan) -> None:
        """Reviewers are shown this plan now. The same plan shown again for the same commit keeps its first time, unless
        another one was shown in between."""

    async def shown_plans(self, repository: str, number: int) -> Sequence[ShownPlan]:
        """Every plan that was shown for a pull request, oldest first."""

    async def corrected(self, claim: Claim, key: Key, actors: Mapping[str, str], declared: str) -> None:
        """Fields changed by hand (by whom) were put back. One that was put back `core.holds.CONTESTED_AFTER` times
        within its window is contested from here on. `declared`: `core.holds.declared_digest` of what the pack wants."""

    async def heard_of(self, daemon: Daemon) -> None:
        """A daemon is alive; `seen_at` is the database's, whatever is given."""

    async def daemons(self) -> Sequence[Daemon]:
        """Heard of within the last day, newest first."""

    async def figures(self) -> Figures: ...

    async def facts(self) -> DatabaseFacts: ...

    async def close(self) -> None: ...
