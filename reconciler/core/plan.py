"""A plan is a value: what would be done, in order, what stands against it, and what it was computed from. It can be
saved, shown, approved and compared; it is made in `core.planning` and carried out by workers that look again."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from reconciler.core.actions import actions
from reconciler.core.changes import TokenChange
from reconciler.core.desired import Revision
from reconciler.core.encoding import digest
from reconciler.core.gains import gains
from reconciler.core.guard import Objection
from reconciler.core.holds import Contest
from reconciler.core.key import Key, PackId
from reconciler.core.pack import SharePack, Strategy
from reconciler.core.problem import Problem, Where
from reconciler.core.resource import Resource
from reconciler.core.review import Review
from reconciler.core.severity import Effect, also_widens, effect
from reconciler.core.tenant import Tenant
from reconciler.core.verdict import (
    Adopt,
    Conflict,
    Create,
    Delete,
    Drifted,
    Ignore,
    Keep,
    Rename,
    Replace,
    Unknown,
    Update,
    Verdict,
)


@dataclass(frozen=True, slots=True)
class Seen:
    """Who stands behind the actual state, as far as Databricks tells."""

    owner: str = ""
    updated_by: str = ""
    #: Epoch milliseconds.
    updated_at: int | None = None
    #: When the newest token of a recipient ends, in epoch milliseconds; None: never, or there is none.
    token_ends_at: int | None = None


@dataclass(frozen=True, slots=True)
class Degraded:
    """A shared object nobody gets to read, because the owner of the share may not read it any more."""

    object_name: str
    #: Of the share.
    owner: str
    #: Such as `SELECT on TABLE c.s.t`; empty when it could not be found out.
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    key: Key
    verdict: Verdict
    #: What is wanted, with every object type resolved; None when it is to be gone.
    desired: Resource | None
    where: Where | None = None
    adopt: bool = False
    objections: tuple[Objection, ...] = ()
    #: The normal name it had; empty when the verdict is not a rename.
    renamed_from: str = ""
    #: What is to be done about a recipient's token, if anything.
    token: TokenChange | None = None
    #: None where nothing was found.
    seen: Seen | None = None
    degraded: tuple[Degraded, ...] = ()
    #: Objections that were lifted by name, as the words that lifted them.
    lifted: tuple[str, ...] = ()
    #: Fields that somebody keeps changing back: they are left as they are.
    contests: tuple[Contest, ...] = ()

    @property
    def effect(self) -> Effect:
        return effect(self.verdict)

    @property
    def also_widens(self) -> bool:
        return also_widens(self.verdict)

    @property
    def is_held(self) -> bool:
        return bool(self.objections) or self.is_unseen

    @property
    def is_unseen(self) -> bool:
        """Whether nobody can say that the resource is there and ours."""
        return isinstance(self.verdict, Conflict | Unknown)

    @property
    def is_change(self) -> bool:
        """Whether anything at Databricks would change."""
        match self.verdict:
            case Adopt(changes=changes):
                return bool(changes)
            case _:
                return isinstance(self.verdict, Create | Update | Rename | Replace | Delete)

    @property
    def is_work(self) -> bool:
        """Whether a worker has something to do, if only in our rows."""
        return not self.is_held and not isinstance(self.verdict, Keep | Drifted | Ignore)


@dataclass(frozen=True, slots=True)
class Basis:
    """Digests of the three states a pack's steps were computed from."""

    desired: str
    recorded: str
    actual: str


def fingerprint(pack: PackId, workspace: str, actions: Collection[str], gains: Collection[str]) -> str:
    """What is approved when a pack's plan is, as one digest."""
    return digest([pack.business_line_key, pack.project_key, workspace, sorted(actions), sorted(gains)])


@dataclass(frozen=True)
class PackPlan:
    """Without slots, so that what follows from its steps is worked out once and kept."""

    pack: PackId
    path: str
    workspace: str
    strategy: Strategy
    steps: tuple[Step, ...]
    basis: Basis
    #: What the file declares; None when Git removed the pack.
    declared: SharePack | None = None
    #: Packs that must be applied before this one.
    needs: frozenset[PackId] = frozenset()
    warnings: tuple[str, ...] = ()
    #: The business line as the tenants file declares it.
    tenant: Tenant | None = None
    #: Our rows of the pack itself (its content, path or status) are not what this revision says.
    rows_behind: bool = False
    #: `RecordedPack.generation` when it was planned.
    generation: int = 0
    #: The commit of the content last submitted; empty when there is none.
    recorded_commit: str = ""
    #: The commit it was last applied from to the end; empty when it never was.
    applied_commit: str = ""
    #: Where it was asked who stands behind the change.
    review: Review = field(default_factory=Review)

    @cached_property
    def actions(self) -> frozenset[str]:
        """What would be done, held steps left out."""
        done = [actions(step.key, step.verdict) for step in self.steps if not step.is_held]
        return frozenset().union(*done)

    @cached_property
    def gains(self) -> frozenset[str]:
        """Who would read what that could not be read before (`core.gains`), held steps left out."""
        return frozenset().union(*(gains(step.key, step.verdict) for step in self.steps if not step.is_held))

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint(self.pack, self.workspace, self.actions, self.gains)

    @property
    def is_held(self) -> bool:
        return any(step.is_held for step in self.steps)

    @property
    def is_work(self) -> bool:
        return any(step.is_work for step in self.steps)


@dataclass(frozen=True, slots=True)
class Plan:
    revision: Revision
    packs: tuple[PackPlan, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def steps(self) -> Iterator[Step]:
        return (step for pack in self.packs for step in pack.steps)

    @property
    def has_changes(self) -> bool:
        return any(step.is_change or step.is_work for step in self.steps)

    @property
    def is_held(self) -> bool:
        return any(pack.is_held for pack in self.packs)

    @property
    def fingerprint(self) -> str:
        return plan_fingerprint(pack.fingerprint for pack in self.packs if pack.actions)


def plan_fingerprint(packs: Iterable[str]) -> str:
    """Of a whole plan, from those of its packs with something to do."""
    return digest(sorted(packs))
