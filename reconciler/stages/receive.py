"""Takes in a pack that somebody hands in: checks it with all other packs, commits it, and sees that it is submitted, so
that Git stays the only truth. Whenever the process ends, nothing of it is there or a sweep finishes it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from itertools import takewhile
from typing import Final, TypeAlias, assert_never
from uuid import UUID, uuid4

from reconciler.core.key import PackId
from reconciler.core.pack import Strategy
from reconciler.core.permits import Caller, Right
from reconciler.core.plan import Plan
from reconciler.core.problem import Problem
from reconciler.ports.inbox import Entered, Inbox, Upload, UploadStatus
from reconciler.ports.ledger import Ledger
from reconciler.ports.pack_source import PackSource, PackSourceError
from reconciler.ports.pack_store import PackStore, PackStoreError, Put
from reconciler.ports.platform import RefusedError, UnavailableError
from reconciler.ports.pull_requests import PullRequests, PullRequestsError
from reconciler.stages.apply import reject_broken
from reconciler.stages.examine import Checked, Examiner, Faulty, Handed, Reason, TurnedAway
from reconciler.stages.plan import Wishes, plan_packs
from reconciler.stages.proposals import Proposal, Proposals
from reconciler.stages.reconcile import Reconciler

__all__ = ["Accepted", "Answer", "Handed", "Reason", "Receiving", "Rejected", "Swept", "TurnedAway"]

_LONGEST_REASON: Final = 2000
_LONGEST_NAME: Final = 200
#: Times that a plan is made anew because somebody else submitted the same pack meanwhile.
_TRIES: Final = 3
#: How long an upload waits for a Databricks that does not answer, before the daemon alone looks after the pack.
_PATIENCE: Final = timedelta(minutes=15)
_IN_GIT: Final = frozenset({UploadStatus.COMMITTED, UploadStatus.SUBMITTED})
#: What keeps one upload from being finished now, and not the others.
_PASSING: Final = (PackStoreError, PackSourceError, PullRequestsError, RefusedError, UnavailableError)


@dataclass(frozen=True, slots=True)
class Rejected:
    upload_id: UUID
    #: Warnings too.
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    upload: Upload
    #: None: it waits for review in a pull request.
    entered: Entered | None
    warnings: tuple[Problem, ...] = ()
    #: False: this very file was handed in before.
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class Swept:
    #: Uploads that are over now.
    done: int
    #: Uploads that cannot be finished now, and why.
    waiting: Mapping[UUID, str]


Answer: TypeAlias = Accepted | Rejected | TurnedAway


@dataclass(slots=True)
class Receiving:
    """Use one for as long as the process lasts."""

    source: PackSource
    store: PackStore
    inbox: Inbox
    ledger: Ledger
    reconciler: Reconciler
    default_workspace: str
    wishes: Wishes
    most_bytes: int
    #: What is followed (`PackSource.newest`).
    revision: str = ""
    #: Where packs are proposed instead of committed to the branch; None: they are committed.
    pulls: PullRequests | None = None
    _examiner: Examiner = field(init=False)
    #: Nothing is committed by this process between the last check of a file and its commit.
    _committing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._examiner = Examiner(self.source, self.default_workspace, self.most_bytes, self.revision)

    async def receive(self, handed: Handed) -> Answer:
        """Committed and on record when it returns; what is left is `finish`'s. Raises LedgerError, PackSourceError,
        PackStoreError and PullRequestsError, with nothing half-done."""
        checked = await self._examiner.look(handed)
        if isinstance(checked, Checked):
            async with self._committing:
                # Somebody may have handed in, while this one waited, what does not go together with it.
                checked = await self._examiner.look(handed, checked)
                if isinstance(checked, Checked):
                    return await self._accept(handed, checked)
        if isinstance(checked, TurnedAway):
            await self._note(handed, checked.pack, checked.message)
            return checked
        return Rejected(await self._note(handed, checked.pack, _errors(checked.problems)), checked.problems)

    async def dry_run(self, handed: Handed) -> Plan | Rejected | TurnedAway:
        """The plan as it would be, with nothing written anywhere. The id of what is rejected stands for nothing."""
        checked = await self._examiner.look(handed)
        if isinstance(checked, TurnedAway):
            return checked
        if isinstance(checked, Faulty):
            return Rejected(uuid4(), checked.problems)
        each = self.reconciler
        scope = [checked.pack.id]
        return await plan_packs(
            checked.desired, scope, self.source, self.ledger, each.platform, each.clock, self.wishes
        )

    async def finish(self, upload: Upload) -> bool:
        """Have the pack reconciled as Git has it now. Whether that is all: what cannot be finished yet is left to the
        sweep."""
        if upload.pull_request is not None:
            return False
        desired = await self._examiner.desired_since(upload.commit)
        await reject_broken(desired, [upload.pack], self.ledger, self.reconciler.actor)
        for _ in range(_TRIES):
            passed = await self.reconciler.reconcile(desired, [upload.pack], self.wishes)
            if passed.submission is None or upload.pack not in passed.submission.outdated:
                break
        else:
            return False
        if upload.pack in passed.unseen and self._may_wait(upload):
            return False
        await self.inbox.end(upload.id, UploadStatus.SUBMITTED)
        return True

    async def sweep(self, older_than: float) -> Swept:
        """Finish what was left in between. What cannot be finished now is left for the next sweep. Raises
        LedgerError."""
        done, waiting = 0, {}
        proposals = None if self.pulls is None else Proposals(self.pulls)
        for upload in await self.inbox.unfinished(older_than):
            try:
                done += await self._sweep(upload, proposals)
            except _PASSING as error:
                waiting[upload.id] = str(error)
        return Swept(done, waiting)

    async def _sweep(self, upload: Upload, proposals: Proposals | None) -> bool:
        """Whether nothing is left to be waited for."""
        if upload.pull_request is not None:
            return proposals is not None and await self._settle(upload, await proposals.state(upload.pull_request))
        again: Upload | None = upload
        if upload.status is UploadStatus.RECEIVED:
            async with self._committing:
                again = await self._bring_in_again(upload)
        return again is None or await self.finish(again)

    async def _settle(self, upload: Upload, proposal: Proposal) -> bool:
        """Whether the pull request is over; a daemon does what was merged."""
        match proposal:
            case Proposal.OPEN:
                return False
            case Proposal.MERGED:
                await self.inbox.end(upload.id, UploadStatus.SUBMITTED)
            case Proposal.CLOSED:
                words = f"pull request {upload.pull_request} was closed unmerged"
                await self.inbox.end(upload.id, UploadStatus.FAILED, words)
            case _:
                assert_never(proposal)
        return True

    async def _bring_in_again(self, upload: Upload) -> Upload | None:
        """What was left before anybody knew whether it is in Git, which may say something else by now. None: it is
        over."""
        now = await self.inbox.find(upload.id)
        if now is None or now.status.is_final:
            return None
        if now.status is UploadStatus.COMMITTED:
            return replace(now, content=upload.content)
        if (later := await self._later(upload)) is not None:
            words = f"another file of the pack was handed in before this one was committed (upload {later.id})"
            await self.inbox.end(upload.id, UploadStatus.FAILED, words)
            return None
        # Whether this caller may was seen when it was handed in.
        handed = Handed(upload.path, upload.content, upload.workspace, Caller(upload.caller, Right.WRITE))
        checked = await self._examiner.look(handed)
        match checked:
            case Checked(place=place):
                again = replace(upload, path=place.path, former_path=place.former_path)
                return (await self._bring_in(again))[0]
            case Faulty(problems=problems):
                await self.inbox.end(upload.id, UploadStatus.FAILED, _errors(problems))
            case TurnedAway(message=message):
                await self.inbox.end(upload.id, UploadStatus.FAILED, message)
            case _:
                assert_never(checked)
        return None

    async def _later(self, upload: Upload) -> Upload | None:
        """What was handed in after it and is in Git."""
        newest = await self.inbox.uploads(upload.pack)
        later = takewhile(lambda each: each.id != upload.id, newest)
        return next((each for each in later if each.status in _IN_GIT), None)

    def _may_wait(self, upload: Upload) -> bool:
        """Databricks may answer a little later."""
        return upload.received_at is not None and self.reconciler.clock.now() - upload.received_at < _PATIENCE

    async def _accept(self, handed: Handed, checked: Checked) -> Accepted:
        wanted = _upload(handed, checked)
        upload = await self.inbox.receive(wanted, anew=not checked.is_in_git)
        # Somebody may have moved its file since it was handed in first.
        upload = replace(upload, path=wanted.path, former_path=wanted.former_path, content=wanted.content)
        try:
            again, entered = await self._bring_in(upload)
        except PackStoreError as error:
            if upload.status is UploadStatus.RECEIVED:
                await self.inbox.end(upload.id, UploadStatus.FAILED, str(error))
            raise
        return Accepted(again, entered, checked.warnings, is_new=upload.id == wanted.id)

    async def _note(self, handed: Handed, pack: PackId, reason: str) -> UUID:
        """For the audit, whatever the file says it is: that it was handed in, by whom, and why it was not taken."""
        said = PackId.of(_seen(pack.business_line), _seen(pack.project_name))
        upload = replace(_blank(handed, said), reason=reason)
        await self.inbox.reject(upload)
        return upload.id

    async def _bring_in(self, upload: Upload) -> tuple[Upload, Entered | None]:
        """Into Git and into the record, each where it is not yet."""
        if self.pulls is not None:
            return await self._propose(upload, self.pulls), None
        stored = await self.store.put(_put(upload))
        if stored.is_new and upload.status.is_final:
            # The remote had something else than this clone knew of.
            upload = await self.inbox.receive(_anew(upload), anew=True)
        recorded = (await self.ledger.recorded([], [upload.pack])).packs.get(upload.pack)
        strategy = Strategy.NEW if recorded is None else Strategy.UPDATE
        entered = await self.inbox.committed(
            upload, stored.commit, strategy=str(strategy), share_pack_name=self._name(upload)
        )
        status = upload.status if upload.status is UploadStatus.SUBMITTED else UploadStatus.COMMITTED
        return replace(upload, commit=stored.commit, status=status), entered

    async def _propose(self, upload: Upload, pulls: PullRequests) -> Upload:
        if upload.pull_request is not None:
            return upload
        branch = f"sharepack/{upload.id.hex[:12]}"
        stored = await self.store.put(_put(upload), branch)
        body = f"Handed in by {upload.caller}. The plan follows in a comment."
        pull = await pulls.propose(branch, f"Share pack {upload.pack}", body)
        await self.inbox.proposed(upload, stored.commit, pull.number)
        return replace(upload, commit=stored.commit, pull_request=pull.number, status=UploadStatus.COMMITTED)

    def _name(self, upload: Upload) -> str:
        return f"SharePack_{upload.requestor}_{self.reconciler.clock.now():%Y%m%d_%H%M%S}"


def _errors(problems: Sequence[Problem]) -> str:
    words = "; ".join(each.message for each in problems if each.is_error)[:_LONGEST_REASON]
    return words.encode("utf-8", "replace").decode()


def _seen(text: str) -> str:
    return "".join(char for char in text if char.isprintable())[:_LONGEST_NAME]


def _upload(handed: Handed, checked: Checked) -> Upload:
    return replace(
        _blank(handed, checked.pack.id),
        path=checked.place.path,
        former_path=checked.place.former_path,
        workspace=checked.pack.workspace,
        requestor=checked.pack.requestor,
    )


def _blank(handed: Handed, pack: PackId) -> Upload:
    return Upload(
        id=uuid4(),
        pack=pack,
        path="",
        former_path="",
        content=handed.content,
        digest=sha256(handed.content).hexdigest(),
        workspace=handed.workspace,
        requestor="",
        caller=" ".join(handed.caller.name.split()),
    )


def _anew(upload: Upload) -> Upload:
    return replace(upload, id=uuid4(), status=UploadStatus.RECEIVED, commit="", received_at=None, share_pack_id=None)


def _put(upload: Upload) -> Put:
    files: dict[str, bytes | None] = {upload.path: upload.content}
    if upload.former_path:
        files[upload.former_path] = None
    message = f"Share pack {upload.pack}\n\nHanded in over HTTP by {upload.caller}.\n\nUpload-Id: {upload.id}\n"
    return Put(files, message, f"{upload.requestor.partition('@')[0]} <{upload.requestor}>")
