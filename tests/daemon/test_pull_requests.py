"""How often the daemon shows an open pull request its plan: when it is new or pushed to, and when a merge may have to
do with it. Commits are in memory; what a branch does is read as ever, but not planned."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from reconciler.core.problem import Problem, Where
from reconciler.daemon.pull_requests import PullRequestWatch
from reconciler.ports.pull_requests import PullRequest, PullRequestsError
from reconciler.stages.present import Presented
from reconciler.stages.propose import branch
from tests.stages.commits import Commits, InMemory, Record, known
from tests.stages.test_partly import WORKSPACE, pack, path

OPEN = 20
MERGES = 10
BEGIN = {path(n): pack(n).encode() for n in range(40)}


@dataclass
class Host(Commits):
    """A main branch, and pull requests that change some files of it, merged onto its tip."""

    files: dict[str, Mapping[str, bytes]] = field(default_factory=lambda: {"c0": BEGIN})
    edits: dict[int, Mapping[str, bytes]] = field(default_factory=dict)
    heads: dict[int, str] = field(default_factory=dict)
    tip: str = "c0"
    bases: dict[str, str] = field(default_factory=dict)
    broken: bool = False

    def merge(self, changes: Mapping[str, bytes]) -> None:
        before, self.tip = self.files[self.tip], f"c{int(self.tip[1:]) + 1}"
        self.files[self.tip] = {**before, **changes}

    def push(self, number: int, changes: Mapping[str, bytes]) -> None:
        self.edits[number] = changes
        self.heads[number] = f"h{number}.{int(self.heads.get(number, 'h.0').partition('.')[2]) + 1}"

    async def fetch_pull(self, number: int) -> str:
        made = f"{self.heads[number]} on {self.tip}"
        self.files[made] = {**self.files[self.tip], **self.edits[number]}
        self.bases[made] = self.tip
        return made

    async def merge_base(self, older: str, newer: str) -> str:
        return self.bases[newer]

    async def open_ones(self) -> list[PullRequest]:
        return [await self.get(number) for number in self.heads]

    async def get(self, number: int) -> PullRequest:
        return PullRequest(number, "Change", "ada", self.heads[number], "main", "")


@dataclass
class Presents:
    source: Host
    shown: list[int] = field(default_factory=list)
    today: datetime = datetime(2027, 5, 1, tzinfo=UTC)
    problems: tuple[Problem, ...] = ()
    failing: frozenset[int] = frozenset()
    snapshots: InMemory = field(default_factory=InMemory)

    @property
    def pulls(self) -> Host:
        return self.source

    @property
    def clock(self) -> "Presents":
        return self

    def now(self) -> datetime:
        return self.today

    async def present(self, pull: PullRequest, since: str, commit: str) -> Presented:
        self.shown.append(pull.number)
        if pull.number in self.failing:
            raise PullRequestsError("no answer")
        seen = known(self.snapshots, Record())
        source: Any = self.source
        found = await branch(source, WORKSPACE, since, commit, self.today.date(), seen)
        return Presented(None, (*self.problems, *found.problems), "", fits=True, url="", reach=found.reach)


def opened(numbers: int = OPEN) -> tuple[Presents, PullRequestWatch]:
    host = Host()
    for number in range(numbers):
        host.push(number, {path(number): pack(number, comment="y").encode()})
    made: Any = Presents(host)
    return made, PullRequestWatch(made, made)


def looked(presents: Presents, watch: PullRequestWatch) -> list[int]:
    """Which of them were shown at this look."""
    presents.shown.clear()
    assert asyncio.run(watch.look("main", presents.source.tip, ())) == frozenset()
    return list(presents.shown)


def test_merges_that_have_nothing_to_do_with_them_show_none_again() -> None:
    presents, watch = opened()
    assert looked(presents, watch) == list(range(OPEN))
    shows = []
    for n in range(MERGES):
        presents.source.merge({path(n + 25): pack(n + 25, comment="z").encode(), path(n + 50): pack(n + 50).encode()})
        shows += looked(presents, watch)
    assert shows == []
    assert looked(presents, watch) == []


def test_one_that_a_merge_has_to_do_with_is_shown_again_and_once_more_when_that_was_applied() -> None:
    presents, watch = opened()
    presents.source.push(3, {path(60): pack(60, share="Taken").encode()})
    looked(presents, watch)
    presents.source.merge({path(61): pack(61, share="taken").encode(), path(7): pack(7, comment="w").encode()})
    assert looked(presents, watch) == [3, 7]
    presents.source.merge({path(30): pack(30, comment="z").encode()})
    # What takes the share of another is wrong, and so it is shown with every commit.
    assert looked(presents, watch) == [3, 7]
    presents.source.merge({path(31): pack(31, comment="z").encode()})
    assert looked(presents, watch) == [3]


def test_one_that_is_pushed_to_is_shown_again() -> None:
    presents, watch = opened()
    looked(presents, watch)
    presents.source.push(4, {path(4): pack(4, comment="w").encode()})
    assert looked(presents, watch) == [4]


def test_the_tenants_file_has_to_do_with_all() -> None:
    presents, watch = opened(3)
    looked(presents, watch)
    presents.source.merge({"packs/tenants.yaml": b"tenants: {Sales: {}}\n"})
    assert looked(presents, watch) == [0, 1, 2]


def test_what_failed_is_tried_at_each_look_and_what_has_problems_with_each_commit() -> None:
    presents, watch = opened(3)
    presents.failing = frozenset({1})
    assert looked(presents, watch) == [0, 1, 2]
    assert looked(presents, watch) == [1]
    presents.failing, presents.problems = frozenset(), (Problem(Where("x"), "rule", "is wrong"),)
    assert looked(presents, watch) == [1]
    presents.source.merge({path(30): pack(30, comment="z").encode()})
    assert looked(presents, watch) == [1]
    presents.problems = ()
    presents.source.merge({path(31): pack(31, comment="z").encode()})
    assert looked(presents, watch) == [1]
    presents.source.merge({path(32): pack(32, comment="z").encode()})
    assert looked(presents, watch) == []


def test_the_first_merge_of_another_day_shows_all_again() -> None:
    presents, watch = opened(3)
    looked(presents, watch)
    presents.today = datetime(2027, 5, 2, tzinfo=UTC)
    assert looked(presents, watch) == []
    presents.source.merge({path(30): pack(30, comment="z").encode()})
    assert looked(presents, watch) == [0, 1, 2]
