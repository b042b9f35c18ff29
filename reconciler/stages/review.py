"""Finds out what was approved of each pack since it was last applied: which pull requests brought its commits, which
plan their reviewers were shown, and who approved. Whether a plan is more than that is `core.approval`'s question."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from reconciler.core.allowance import approval_lift, normal_approval, normal_lift
from reconciler.core.approval import NOTHING_APPROVED, Approvals, Approved, is_genuine, needs_approval
from reconciler.core.key import PackId
from reconciler.core.managed import UNMANAGED
from reconciler.core.plan import PackPlan, Plan, plan_fingerprint
from reconciler.core.resource import Resource
from reconciler.core.review import Review
from reconciler.core.share import Share
from reconciler.packs.file_names import TENANTS_NAMES
from reconciler.ports.ledger import Ledger, ShownPlan
from reconciler.ports.pack_source import PackSource, PackSourceError
from reconciler.ports.pull_requests import Approval, PullRequest, PullRequests, PullRequestsError, Said

#: How a person lets go on what was held: a line of a comment that begins with this.
COMMAND: Final = "sharepack"


@dataclass(frozen=True, slots=True)
class Brought:
    """A merged pull request, and what stands behind it."""

    pull: PullRequest
    #: Those that count for what was merged; the merge itself when nobody reviewed.
    approvals: tuple[Approval, ...]
    #: The plan that the approvers could see; None when there was none.
    shown: ShownPlan | None
    #: Every pack that any plan shown for it had something to do for.
    packs: frozenset[PackId]
    #: Words by which somebody else than its author let go on what was held, and who said them first.
    words: Mapping[str, Approval]


@dataclass(slots=True)
class Reviewing:
    """Asks once for each pull request, until `is_news` finds that there is more to hear."""

    pulls: PullRequests
    ledger: Ledger
    source: PackSource
    #: The workflow run that applies, if one does: who let it into its environment approved as well.
    run_id: int | None = None
    #: Where the pull requests of a pack that was asked about are found again.
    found: dict[PackId, tuple[PullRequest, ...]] = field(default_factory=dict)
    _behind: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _brought: dict[int, Brought] = field(default_factory=dict)
    _environment: tuple[Approval, ...] | None = None

    async def is_news(self, pack: PackId) -> bool:
        """Whether something was approved of this pack, or said of it, since it was asked about; also when that failed,
        or no pull request was found. What was heard is forgotten then."""
        if not self.found.get(pack):
            return True
        numbers = [pull.number for pull in self.found[pack]]
        before = [self._brought.pop(number, None) for number in numbers]
        return before != [await self._look(number) for number in numbers]

    async def approvals(self, plan: Plan) -> Approvals:
        """Of the packs that need any. What cannot be found out is not approved, and why is told."""
        asked: dict[PackId, _Answer] = {}
        for since, packs in _by_commit(filter(needs_approval, plan.packs)).items():
            for pack in packs:
                self.found.pop(pack.pack, None)
            try:
                asked |= await self._asked(since, packs, plan.revision.commit)
            except PullRequestsError as error:
                asked |= dict.fromkeys(
                    (pack.pack for pack in packs), _Answer(reason=f"who approved it is not known: {error}")
                )
            except PackSourceError as error:
                asked |= dict.fromkeys(
                    (pack.pack for pack in packs), _Answer(reason=f"how it came in is not known: {error}")
                )
        return Approvals(
            packs={pack: each.approved for pack, each in asked.items()},
            reviews={pack: each.review for pack, each in asked.items()},
            words=frozenset().union(*(each.words for each in asked.values())),
            reasons={pack: each.reason for pack, each in asked.items() if each.reason},
        )

    async def _asked(self, since: str, packs: Sequence[PackPlan], until: str) -> "dict[PackId, _Answer]":
        if not until or not self.source.has_commits:
            return dict.fromkeys(
                (pack.pack for pack in packs), _Answer(reason="it is in no commit that could be reviewed")
            )
        numbers = await self._numbers(_paths(packs), since, until)
        brought = [await self._look(number) for number in numbers]
        environment = await self._environment_approvals()
        answers = {}
        for pack in packs:
            mine = [each for each in brought if pack.pack in each.packs]
            if not mine and brought:
                # No plan was shown for it; its own path tells which of them brought it.
                own = await self._numbers(_paths([pack]), since, until)
                mine = [each for each in brought if each.pull.number in own]
            self.found[pack.pack] = tuple(each.pull for each in mine)
            answers[pack.pack] = _answer(pack, mine, environment, self.pulls.repository)
        return answers

    async def _numbers(self, paths: Collection[str], since: str, until: str) -> list[int]:
        """Of the pull requests that brought these paths in, oldest first."""
        numbers: dict[int, None] = {}
        for commit in await self.source.came_in(paths, since, until):
            found = self._behind.get(commit) or tuple(pull.number for pull in await self.pulls.behind(commit))
            if found:
                # None may only mean that the host does not know yet what it has just merged.
                self._behind[commit] = found
            numbers |= dict.fromkeys(found)
        return list(numbers)

    async def _look(self, number: int) -> Brought:
        if number not in self._brought:
            pull = await self.pulls.get(number)
            shown = await self.ledger.shown_plans(self.pulls.repository, number)
            approvals = _counting(pull, await self.pulls.approvals(number))
            words = _let_go(pull, await self.pulls.said(number))
            packs = frozenset(pack for each in shown for pack in each.packs)
            self._brought[number] = Brought(pull, approvals, _seen(pull, shown, approvals), packs, words)
        return self._brought[number]

    async def _environment_approvals(self) -> tuple[Approval, ...]:
        if self._environment is None:
            found = [] if self.run_id is None else await self.pulls.environment_approvals(self.run_id)
            self._environment = tuple(found)
        return self._environment


@dataclass(frozen=True, slots=True)
class _Answer:
    approved: Approved = NOTHING_APPROVED
    review: Review = field(default_factory=Review)
    words: frozenset[str] = frozenset()
    reason: str = ""


def _by_commit(packs: Iterable[PackPlan]) -> Mapping[str, list[PackPlan]]:
    """By the commit they were last applied from."""
    groups: dict[str, list[PackPlan]] = {}
    for pack in packs:
        groups.setdefault(pack.applied_commit, []).append(pack)
    return groups


def _paths(packs: Iterable[PackPlan]) -> frozenset[str]:
    """What packs are made of: their files, the tenants file somewhere above them, and their notebooks, which may lie
    anywhere below the top folder."""
    paths = set()
    for pack in packs:
        above = [parent.as_posix() for parent in PurePosixPath(pack.path).parents]
        paths |= {pack.path, *(f"{parent}/{name}".removeprefix("./") for parent in above for name in TENANTS_NAMES)}
        if any(_has_notebooks(step.desired) for step in pack.steps):
            paths.add(PurePosixPath(pack.path).parts[0])
    return frozenset(paths)


def _has_notebooks(resource: Resource | None) -> bool:
    if not isinstance(resource, Share) or resource.objects is UNMANAGED:
        return False
    return any(item.content is not UNMANAGED for item in resource.objects)


def _answer(pack: PackPlan, brought: Sequence[Brought], environment: Sequence[Approval], repository: str) -> _Answer:
    approved, words = NOTHING_APPROVED, dict[str, Approval]()
    for each in brought:
        words = {**each.words, **words}
        if each.shown is not None and pack.pack in each.shown.packs:
            approved = approved.joined(each.shown.packs[pack.pack])
    people = [*(approval for each in brought for approval in each.approvals), *environment, *_sayers(pack, words)]
    return _Answer(
        approved,
        Review(tuple(f"{repository}#{each.pull.number}" for each in brought), tuple(dict.fromkeys(map(str, people)))),
        frozenset(words),
        _reason(brought),
    )


def _sayers(pack: PackPlan, words: Mapping[str, Approval]) -> Iterator[Approval]:
    """Who let something of this pack go on by name."""
    lifts = {approval_lift(pack.fingerprint)}
    lifts |= {objection.lift for step in pack.steps for objection in step.objections}
    return (approval for word, approval in words.items() if word in lifts)


def _reason(brought: Sequence[Brought]) -> str:
    """Why nothing, or not all, of it is approved; empty when a plan was shown."""
    if not brought:
        return "it came in by no pull request, so nobody was shown what it does"
    if all(each.shown is None for each in brought):
        numbers = ", ".join(f"#{each.pull.number}" for each in brought)
        return f"nobody was shown a plan of what was merged in {numbers} before approving"
    return ""


def _counting(pull: PullRequest, approvals: Sequence[Approval]) -> tuple[Approval, ...]:
    """Approvals of what was merged. Without any, whoever merged it stands for it."""
    of_head = tuple(each for each in approvals if each.commit == pull.head)
    if of_head or pull.merged_at is None:
        return of_head
    return (Approval(pull.merged_by, "merge", pull.merged_at, pull.head),)


def _seen(pull: PullRequest, shown: Sequence[ShownPlan], approvals: Sequence[Approval]) -> ShownPlan | None:
    """The newest plan of what was merged that the last approver could see. One that does not stand for its fingerprint
    was written by somebody else."""
    if not approvals:
        return None
    until = max(each.at for each in approvals)
    seen = [each for each in shown if each.head == pull.head and each.shown_at is not None and each.shown_at <= until]
    return next((each for each in reversed(seen) if _is_genuine(each)), None)


def _is_genuine(shown: ShownPlan) -> bool:
    is_whole = plan_fingerprint(each.fingerprint for each in shown.packs.values()) == shown.fingerprint
    return is_whole and all(is_genuine(pack, approved) for pack, approved in shown.packs.items())


def _let_go(pull: PullRequest, said: Sequence[Said]) -> dict[str, Approval]:
    """Nobody approves what is their own, as on GitHub."""
    found: dict[str, Approval] = {}
    for each in said:
        if each.by != pull.author:
            for word in _words(each.text):
                found.setdefault(word, Approval(each.by, "words", each.at))
    return found


def _words(text: str) -> Iterator[str]:
    """From lines such as `sharepack approve 1a2b3c4d5e6f7a8b` and `sharepack allow delete:share/x`."""
    for line in text.splitlines():
        command, _, rest = line.strip().partition(" ")
        verb, _, words = rest.strip().partition(" ")
        if command != COMMAND:
            continue
        found = normal_approval(f"approve:{words}") if verb == "approve" else None
        found = normal_lift(words) or normal_approval(words) if verb == "allow" else found
        if found is not None:
            yield found
