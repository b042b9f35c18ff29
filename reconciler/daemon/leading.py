"""What the leading daemon does: follow the packs, decide which to look at now, have them reconciled, and look again at
what was applied. Level-triggered: it compares where things stand; an event missed costs time only."""

import random
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from loguru import logger

from reconciler.core.desired import Desired
from reconciler.core.glance import FULL_EVERY, Memory, forget
from reconciler.core.key import Key, PackId
from reconciler.core.limits import Limits
from reconciler.core.plan import PackPlan, Plan
from reconciler.core.policy import Why
from reconciler.core.schedule import Cadence, Watch, due, first_watch, looked, next_due
from reconciler.core.sighting import notice_due
from reconciler.daemon.words import left_words
from reconciler.packs.remembering import RememberedFiles
from reconciler.ports.pack_source import PackSourceError
from reconciler.stages.apply import reject_broken
from reconciler.stages.glance import glance, learn
from reconciler.stages.look import GRACE
from reconciler.stages.plan import Wishes
from reconciler.stages.read import read_commit, read_working_tree
from reconciler.stages.reconcile import Passed, Reconciler
from reconciler.stages.tell import Teller, waiting

#: Seconds between looks at the work that was submitted, until it has ended.
_LOOK_AT_WORK: Final = 1.0
#: Seconds between looks at the ends of tokens, which are on record.
_NOTICE_EVERY: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Following:
    """What to follow, and how closely."""

    default_workspace: str
    #: As in `PackSource.newest`.
    revision: str = ""
    #: Seconds between fetches.
    fetch_every: float = 30.0
    cadence: Cadence = field(default_factory=Cadence)
    limits: Limits = field(default_factory=Limits)
    grace: float = GRACE
    #: Of so many looks at a pack one reads it in full; 1: every one.
    full_every: int = FULL_EVERY


@dataclass(slots=True)
class Leading:
    """One term of leadership. Times are seconds of the reconciler's clock."""

    reconciler: Reconciler
    following: Following
    #: A random number in 0..1.
    spread: Callable[[], float] = random.random
    #: Called when every pack has been looked at since the last time.
    on_full_pass: Callable[[], None] = lambda: None
    #: Finds what was approved in pull requests, and tells them; None: approval is somebody else's business.
    teller: Teller | None = None
    commit: str = ""
    #: Packs held until somebody approves them.
    waiting: frozenset[PackId] = frozenset()
    #: Why the packs cannot be fetched; empty when they can.
    fetch_failure: str = ""
    #: Why the newest of what was fetched cannot be read.
    read_failure: str = ""
    #: Packs of which something could not be read when they were looked at last.
    unread: frozenset[PackId] = frozenset()
    _desired: Desired | None = None
    #: A new commit leaves most packs as they were.
    _parse: RememberedFiles = field(default_factory=RememberedFiles)
    _watches: dict[str, Watch] = field(default_factory=dict)
    #: Packs to look at now, whatever the schedule says.
    _changed: set[PackId] = field(default_factory=set)
    #: Packs not looked at since the last full pass; None before the first look at the record.
    _unseen: set[PackId] | None = None
    #: Work that was submitted and not looked at since it ended, and the plan it came from.
    _submitted: dict[UUID, PackPlan] = field(default_factory=dict)
    #: What was read in full; None before it is known which workspaces are to be read in full always.
    _memory: Memory | None = None
    _said: dict[PackId, str] = field(default_factory=dict)
    _noticed: dict[Key, int] = field(default_factory=dict)
    _fetch_at: float = 0.0
    _notice_at: float = 0.0

    async def tick(self) -> float:
        """Do what is to be done now. Returns the seconds until there may be something more. Raises LedgerError."""
        if self._now() >= self._fetch_at:
            await self._fetch()
        await self._follow()
        await self._look_at_work()
        if self._desired is not None:
            scope = await self._scope(self._desired)
            if scope:
                await self._pass(self._desired, scope)
        if self._now() >= self._notice_at:
            await self._notice_tokens()
        return self._wait()

    def _now(self) -> float:
        return self.reconciler.clock.now().timestamp()

    async def _fetch(self) -> None:
        """The last good commit stays in force while the newest cannot be had; then nothing is taken for removed."""
        try:
            await self.reconciler.source.fetch()
        except PackSourceError as error:
            self._failed(self.fetch_failure, error, "fetched")
            self.fetch_failure = error.what
        else:
            if self.fetch_failure:
                logger.info("The packs can be fetched again")
                # What was held because of it may go on.
                self._look_at_everything()
            self.fetch_failure = ""
        self._fetch_at = self._now() + self.following.fetch_every

    @property
    def source_failure(self) -> str:
        return self.fetch_failure or self.read_failure

    def _failed(self, before: str, error: PackSourceError, verb: str) -> None:
        if before != error.what:
            words = f"The packs cannot be {verb}; the last good commit stays in force: {error}"
            logger.warning("{}", words)

    async def _follow(self) -> None:
        """Read the packs when they are not the ones read last."""
        source, following = self.reconciler.source, self.following
        today = self.reconciler.clock.now().date()
        try:
            newest = await source.newest(following.revision)
            if newest == self.commit and self._desired is not None:
                self.read_failure = ""
                return
            if source.has_commits:
                desired = await read_commit(source, following.default_workspace, newest, today=today, parse=self._parse)
            else:
                desired = await read_working_tree(source, following.default_workspace, today=today)
        except PackSourceError as error:
            self._failed(self.read_failure, error, "read")
            self.read_failure = error.what
            return
        self.read_failure = ""
        logger.bind(commit=newest).info("{}", f"Following {desired.revision} with {len(desired.packs)} packs")
        await self._read(desired, newest)

    async def _read(self, desired: Desired, commit: str) -> None:
        ledger, before = self.reconciler.ledger, self._desired
        known = frozenset(await ledger.all_packs()) | desired.packs.keys() | desired.broken.keys()
        await reject_broken(desired, known, ledger, self.reconciler.actor)
        for problem in desired.problems:
            if problem.is_error and (before is None or problem not in before.problems):
                logger.warning("{}", f"{problem.where}: {problem.message}")
        self._changed |= _changed(before, desired, known)
        self._desired, self.commit = desired, commit

    async def _look_at_work(self) -> None:
        """What was submitted is looked at again once it has ended: a second plan should be empty."""
        if not self._submitted:
            return
        ended = [item for item in await self.reconciler.ledger.work(list(self._submitted)) if item.status.is_final]
        packs = tuple(self._submitted.pop(item.id) for item in ended)
        self._changed |= {pack.pack for pack in packs}
        if self.teller is not None and ended and self._desired is not None:
            operations = await self.reconciler.ledger.operations([item.id for item in ended])
            self._warn(await self.teller.ended(Plan(self._desired.revision, packs), ended, operations))

    async def _scope(self, desired: Desired) -> frozenset[PackId]:
        if self._watches and not self._changed and not due(self._watches, self._now()):
            # What is on record and stands in no commit is found when the next business line is due.
            return frozenset()
        known = frozenset(await self.reconciler.ledger.all_packs()) | desired.packs.keys()
        lines = {pack.business_line_key for pack in known}
        for line in lines - self._watches.keys():
            self._watches[line] = first_watch(self._now(), self.following.cadence, self.spread())
        for line in self._watches.keys() - lines:
            del self._watches[line]
        if self._unseen is None:
            self._unseen = set(known)
        now = due(self._watches, self._now())
        return frozenset(pack for pack in known if pack in self._changed or pack.business_line_key in now)

    async def _pass(self, desired: Desired, scope: frozenset[PackId]) -> None:
        following = self.following
        wishes = Wishes(
            limits=following.limits,
            source_failure=self.source_failure,
            grace=following.grace,
            approvals=None if self.teller is None else self.teller.reviewing.approvals,
        )
        same = await self._glance(scope)
        self._changed -= same
        read = scope - same
        passed = await self.reconciler.reconcile(desired, read, wishes) if read else None
        if passed is not None:
            await self._read_in_full(read, passed)
        self._schedule(scope, same if passed is None else same | passed.quiet)
        self._count(scope if passed is None else scope - passed.unseen)

    async def _glance(self, scope: frozenset[PackId]) -> frozenset[PackId]:
        """Packs that lists tell to be as they were. What has changed in Git or by our work is read in full, and so is
        what a pass fails to read."""
        if self._memory is None:
            self._memory = Memory(distrusted=await self.reconciler.ledger.distrusted())
        memory, self._memory = forget(self._memory, scope & self._changed), forget(self._memory, scope)
        glanced = await glance(memory, scope, self.reconciler.ledger, self.reconciler.platform, self.reconciler.clock)
        self._memory = forget(glanced.memory, scope - glanced.unchanged)
        return glanced.unchanged

    async def _read_in_full(self, scope: frozenset[PackId], passed: Passed) -> None:
        self._changed -= scope
        self.unread = (self.unread - scope) | passed.unseen
        self.waiting = (self.waiting - scope) | waiting(passed.plan)
        self._tell(passed)
        if passed.submission is not None:
            plans = {pack.pack: pack for pack in passed.plan.packs}
            self._submitted |= {
                work_id: plans[pack] for pack, work_id in passed.submission.work.items() if work_id is not None
            }
            # Somebody else was faster: what there is to do now shows in a new plan.
            self._changed |= passed.submission.outdated
        if self.teller is not None:
            self._warn(await self.teller.held(passed.plan))
        if self._memory is not None and self.following.full_every > 1:
            before = self._memory.distrusted
            self._memory = await learn(
                self._memory, passed.read, self.reconciler.ledger, self.spread, self.following.full_every
            )
            for workspace in self._memory.distrusted - before:
                words = f"{workspace} is read in full from now on: a share changed there while its updated_at did not"
                logger.warning("{}", words)

    def look_at(self, packs: Collection[PackId]) -> None:
        """At the next tick, whatever the schedule says."""
        self._changed |= set(packs)

    def _warn(self, troubles: Iterable[str]) -> None:
        for words in troubles:
            logger.warning("{}", words)

    def _schedule(self, scope: Collection[PackId], quiet: Collection[PackId]) -> None:
        by_line: dict[str, set[PackId]] = {}
        for pack in scope:
            by_line.setdefault(pack.business_line_key, set()).add(pack)
        for line, packs in by_line.items():
            watch = self._watches.get(line)
            if watch is not None and watch.due_at <= self._now():
                is_quiet = packs <= frozenset(quiet)
                self._watches[line] = looked(
                    watch, self._now(), self.following.cadence, self.spread(), is_quiet=is_quiet
                )

    def _count(self, seen: Collection[PackId]) -> None:
        if self._unseen is None:
            return
        self._unseen -= set(seen)
        if not self._unseen:
            self._unseen = None
            self.on_full_pass()

    def _look_at_everything(self) -> None:
        now = self._now()
        self._watches = {line: replace(watch, due_at=now) for line, watch in self._watches.items()}

    def _tell(self, passed: Passed) -> None:
        if passed.submission is not None:
            told = logger.bind(plan_id=str(passed.submission.plan_id), commit=self.commit)
            told.info("{}", f"Submitted {len(passed.submission.work)} packs")
        for pack, leave in passed.left.items():
            words = left_words(pack, leave, passed.plan)
            if self._said.get(pack) != words:
                told = logger.bind(pack=str(pack), commit=self.commit)
                told.log("INFO" if leave.why is Why.UNDER_WAY else "WARNING", "{}", words)
            self._said[pack] = words
        for pack in passed.decisions.keys() - passed.left.keys():
            self._said.pop(pack, None)

    async def _notice_tokens(self) -> None:
        """Tokens that end soon, once for each of `core.sighting.NOTICE_DAYS`; from the record alone."""
        now = self.reconciler.clock.now()
        for pack, seen in (await self.reconciler.ledger.sightings()).items():
            for key, each in seen.items():
                days = (
                    None
                    if each.token_ends_at is None
                    else notice_due(each.token_ends_at, _milliseconds(now.timestamp()))
                )
                if days is not None and self._noticed.get(key) != days:
                    words = "has ended" if days == 0 else f"ends within {days} day{'s'[: days != 1]}"
                    logger.bind(pack=str(pack), key=str(key)).warning("{}", f"The token of {key} {words}")
                    self._noticed[key] = days
        self._notice_at = now.timestamp() + _NOTICE_EVERY

    def _wait(self) -> float:
        soonest = min(self._fetch_at, self._notice_at, next_due(self._watches) or self._fetch_at)
        if self._changed:
            return 0.0
        if self._submitted:
            soonest = min(soonest, self._now() + _LOOK_AT_WORK)
        return max(0.0, soonest - self._now())


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _changed(before: Desired | None, after: Desired, known: Iterable[PackId]) -> frozenset[PackId]:
    """Packs for which the new commit may mean something else."""
    if before is None or before.tenants != after.tenants or before.unreadable_lines != after.unreadable_lines:
        return frozenset(known)
    return frozenset(pack for pack in known if before.packs.get(pack) != after.packs.get(pack))
