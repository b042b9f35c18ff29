"""Looks at each part that unattended work needs, each on its own and within bounds, and changes none of them. How bad
what was found is, and what to do about it, is `stages.doctor_words`' business."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from reconciler.core.checkup import Finding, Level
from reconciler.core.desired import Desired
from reconciler.core.rights import Caller
from reconciler.ports.clock import Clock
from reconciler.ports.doorbell import Doorbell, DoorbellUnavailableError
from reconciler.ports.ledger import Ledger, LedgerError
from reconciler.ports.pack_source import PackSource, PackSourceError
from reconciler.ports.platform import Platform, RefusedError, UnavailableError
from reconciler.stages import doctor_words as words
from reconciler.stages.read import read_commit, read_working_tree

T = TypeVar("T")

#: Seconds for each part to answer.
PATIENCE: Final = 15.0


@dataclass(frozen=True, slots=True)
class Reach:
    """The ways to what is looked at. Each opens when it is called, and fails on its own."""

    source: PackSource
    #: As it is, brought up to date by nobody. None: there is none yet. Raises LedgerError.
    ledger: Callable[[], Awaitable[Ledger | None]]
    #: None: it rings in the database, and that is not there yet. Raises DoorbellUnavailableError or LedgerError.
    doorbell: Callable[[], Awaitable[Doorbell | None]]
    #: Raises RefusedError.
    platform: Callable[[], Platform]
    clock: Clock
    #: Of business lines that name none; empty when there is none.
    default_workspace: str = ""
    #: What a daemon would follow (`PackSource.newest`).
    revision: str = ""
    #: Where packs are looked for, for people.
    folder: str = "sharepacks"
    #: Bytes free for a database of our own; None where somebody else's is used.
    free_space: Callable[[], int] | None = None
    #: Seconds within which every pack is to be looked at.
    full_pass_within: float = 1800.0


@dataclass(frozen=True, slots=True)
class _Trouble:
    """No answer; why, and what to do about it where that is known."""

    what: str
    advice: str


@dataclass(frozen=True, slots=True)
class _OnRecord:
    findings: tuple[Finding, ...]
    #: Seconds, by workspace.
    pauses: Mapping[str, float]


async def examine(reach: Reach, patience: float = PATIENCE) -> tuple[Finding, ...]:
    """All findings, in an order that does not depend on who answered first. `patience` in seconds, for each answer."""
    looking = _Looking(reach, patience)
    record, queue, (git, desired) = await asyncio.gather(looking.record(), looking.queue(), looking.git())
    workspaces = await looking.workspaces(desired, record.pauses)
    disk = () if reach.free_space is None else (await looking.disk(reach.free_space),)
    database = [each for each in record.findings if each.subject in {"database", "clock"}]
    running = [each for each in record.findings if each not in database]
    return (*database, *disk, *queue, *git, *workspaces, *running)


@dataclass(frozen=True, slots=True)
class _Looking:
    reach: Reach
    patience: float

    async def record(self) -> _OnRecord:
        ledger = await self._asked(self.reach.ledger(), "check `domain_db_connection_string` and that the server runs")
        if isinstance(ledger, _Trouble):
            return _OnRecord((_failed("database", ledger),), {})
        if ledger is None:
            return _OnRecord((words.no_record_yet(),), {})
        before = self.reach.clock.now()
        facts = await self._asked(ledger.facts(), "check that the server runs and may be read")
        if isinstance(facts, _Trouble):
            return _OnRecord((_failed("database", facts),), {})
        told = (words.database(facts), words.clock(facts, before, self.reach.clock.now()))
        if facts.revision != facts.known_revision:
            # Its tables are others than those that are asked below.
            return _OnRecord(told, {})
        heard_of, figures, pauses = await asyncio.gather(
            self._asked(ledger.daemons()), self._asked(ledger.figures()), self._asked(ledger.pauses())
        )
        if isinstance(heard_of, _Trouble):
            daemons: tuple[Finding, ...] = (_failed("daemon", heard_of),)
        else:
            daemons = tuple(words.daemons(heard_of, facts.now))
        if isinstance(figures, _Trouble):
            work: tuple[Finding, ...] = (_failed("work", figures),)
        else:
            last = [words.full_pass(figures.last_full_pass, self.reach.full_pass_within)] if heard_of else []
            work = (*last, *words.work(figures))
        return _OnRecord((*told, *daemons, *work), {} if isinstance(pauses, _Trouble) else pauses)

    async def queue(self) -> tuple[Finding, ...]:
        found = await self._asked(self._ring(), "until it answers, work waits for the sweep, a minute at most")
        match found:
            case _Trouble():
                return (_failed("queue", found),)
            case True:
                return (Finding("queue", Level.OK, "a message went there and back"),)
            case _:
                said = "it is PostgreSQL's own, and there is no database yet"
                return (Finding("queue", Level.WARN, said, "it comes with the database"),)

    async def _ring(self) -> bool:
        doorbell = await self.reach.doorbell()
        if doorbell is None:
            return False
        await doorbell.check()
        return True

    async def git(self) -> tuple[tuple[Finding, ...], Desired | None]:
        source = self.reach.source
        if not source.has_commits:
            said = f"{self.reach.folder} is not in a Git repository"
            alone = Finding("git", Level.WARN, said, "put it under Git: without a commit nothing is deleted or revoked")
            finding, desired = await self._packs(read_working_tree(source, self.reach.default_workspace))
            return (alone, finding), desired
        fetched = await self._asked(source.fetch())
        if isinstance(fetched, _Trouble):
            fetch = _failed("fetch", fetched)
        else:
            fetch = Finding("fetch", Level.OK, "fetched what the remote has, if there is one")
        newest = await self._asked(source.newest(self.reach.revision))
        if isinstance(newest, _Trouble):
            return (fetch, _failed("commit", newest)), None
        what = self.reach.revision or "what the checked-out branch follows"
        followed = Finding("commit", Level.OK, f"{newest[:12]} is {what}")
        finding, desired = await self._packs(read_commit(source, self.reach.default_workspace, newest))
        return (fetch, followed, finding), desired

    async def _packs(self, reading: Awaitable[Desired]) -> tuple[Finding, Desired | None]:
        desired = await self._asked(reading)
        if isinstance(desired, _Trouble):
            return _failed("packs", desired), None
        return words.packs(desired, self.reach.folder), desired

    async def workspaces(self, desired: Desired | None, pauses: Mapping[str, float]) -> tuple[Finding, ...]:
        urls = _workspaces(desired, self.reach.default_workspace)
        if not urls:
            advice = "set `databricks_host`, or name workspaces in tenants.yaml"
            return (Finding("workspace", Level.FAIL, "no workspace is named anywhere", advice),)
        found = await asyncio.gather(*(self._workspace(url, pauses.get(url, 0.0)) for url in urls))
        return tuple(replace(each, workspace=url) for url, each_of in zip(urls, found, strict=True) for each in each_of)

    async def _workspace(self, url: str, pause: float) -> Iterable[Finding]:
        waiting = [words.pause(pause)] if pause > 0 else []
        caller = await self._asked(
            self._caller(url), "check the URL, the credentials, and that this identity is let into the workspace"
        )
        if isinstance(caller, _Trouble):
            return [_failed("identity", caller), *waiting]
        return [words.identity(caller), words.metastore(caller), *words.rights(caller), *waiting]

    async def _caller(self, url: str) -> Caller:
        return await self.reach.platform().caller(url)

    async def disk(self, free_space: Callable[[], int]) -> Finding:
        free = await self._asked(asyncio.to_thread(free_space), "check the disk that `state_dir` lies on")
        return _failed("disk", free) if isinstance(free, _Trouble) else words.space(free)

    async def _asked(self, answer: Awaitable[T], advice: str = "") -> T | _Trouble:
        try:
            async with asyncio.timeout(self.patience):
                return await answer
        except TimeoutError:
            return _Trouble(f"no answer within {self.patience:g} s", advice or "check the network, then look again")
        except PackSourceError as error:
            return _Trouble(error.what, error.advice or advice)
        except (LedgerError, DoorbellUnavailableError, UnavailableError, RefusedError, OSError) as error:
            return _Trouble(str(error), advice)
        except Exception as error:  # noqa: BLE001 - the other checks go on, and its text may be anything
            return _Trouble(
                f"failed in a way nobody expected: {type(error).__name__}", "report it as a mistake of ours"
            )


def _failed(subject: str, trouble: _Trouble) -> Finding:
    return Finding(subject, Level.FAIL, trouble.what, trouble.advice)


def _workspaces(desired: Desired | None, default: str) -> tuple[str, ...]:
    """All that packs or tenants use, and that of the settings; sorted."""
    found = {default}
    if desired is not None:
        found |= {pack.workspace for pack in desired.packs.values()}
        found |= {url for tenant in desired.tenants.by_line.values() for url in tenant.workspaces.values()}
    return tuple(sorted(found - {""}))
