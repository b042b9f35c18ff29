"""Takes in a pack that somebody hands in: checks it with all other packs, commits it, and sees that it is submitted, so
that Git stays the only truth. Whenever the process ends, nothing of it is there or a sweep finishes it."""

import asyncio
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from typing import Final, TypeAlias
from uuid import UUID, uuid4

from reconciler.core.desired import Desired, Revision
from reconciler.core.key import PackId
from reconciler.core.pack import SharePack, Strategy
from reconciler.core.permits import Caller
from reconciler.core.plan import Plan
from reconciler.core.problem import Problem, Where
from reconciler.packs.filing import Place, place_of, true_ending
from reconciler.packs.reading import read_packs
from reconciler.packs.remembering import RememberedFiles
from reconciler.ports.inbox import Entered, Inbox, Upload, UploadStatus
from reconciler.ports.ledger import Ledger
from reconciler.ports.pack_source import PackFiles, PackSource
from reconciler.ports.pack_store import PackStore, PackStoreError, Put
from reconciler.ports.pull_requests import PullRequests
from reconciler.stages.plan import Wishes, plan_packs
from reconciler.stages.reconcile import Reconciler

#: What a pack may be called by whoever hands it in, in problems.
_LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class Handed:
    """What somebody hands in."""

    #: The name of the file, as they call it; never a path of ours.
    name: str
    content: bytes
    #: The workspace they mean; it must be that of the business line.
    workspace: str
    caller: Caller


class Reason(StrEnum):
    TOO_LARGE = "too large"
    #: Not theirs to write; the same whether there is such a pack or not.
    NOT_PERMITTED = "not permitted"
    WRONG_WORKSPACE = "wrong workspace"


@dataclass(frozen=True, slots=True)
class TurnedAway:
    reason: Reason
    message: str


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


Answer: TypeAlias = Accepted | Rejected | TurnedAway


@dataclass(frozen=True, slots=True)
class _Checked:
    pack: SharePack
    place: Place
    desired: Desired
    warnings: tuple[Problem, ...]
    #: The newest commit has this very file.
    is_in_git: bool


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
    _parse: RememberedFiles = field(default_factory=RememberedFiles)
    #: One file after the other is checked; committing and recording wait for each other in their own way.
    _checking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def receive(self, handed: Handed) -> Answer:
        """Committed and on record when it returns; what is left is `finish`'s. Raises LedgerError, PackSourceError,
        PackStoreError and PullRequestsError, with nothing half-done."""
        checked = await self._check(handed)
        if isinstance(checked, TurnedAway):
            return checked
        if isinstance(checked, _Faulty):
            return await self._reject(handed, checked)
        upload = await self.inbox.receive(_upload(handed, checked), anew=not checked.is_in_git)
        is_new = upload.commit == "" and upload.status is UploadStatus.RECEIVED
        try:
            upload, entered = await self._bring_in(upload)
        except PackStoreError as error:
            await self.inbox.end(upload.id, UploadStatus.FAILED, str(error))
            raise
        return Accepted(upload, entered, checked.warnings, is_new)

    async def dry_run(self, handed: Handed) -> "Plan | Rejected | TurnedAway":
        """The plan as it would be, with nothing written anywhere. The id of what is rejected stands for nothing."""
        checked = await self._check(handed)
        if isinstance(checked, TurnedAway):
            return checked
        if isinstance(checked, _Faulty):
            return Rejected(uuid4(), checked.problems)
        each = self.reconciler
        scope = [checked.pack.id]
        return await plan_packs(
            checked.desired, scope, self.source, self.ledger, each.platform, each.clock, self.wishes
        )

    async def finish(self, upload: Upload) -> None:
        """Have the pack reconciled as Git has it now."""
        if upload.pull_request is not None:
            return
        desired = _read(await self._newest(), self.default_workspace, self._parse)
        await self.reconciler.reconcile(desired, [upload.pack], self.wishes)
        await self.inbox.end(upload.id, UploadStatus.SUBMITTED)

    async def sweep(self, older_than: float) -> int:
        """Finish what was left in between; how many uploads that were. One that cannot be finished now is left for the
        next sweep."""
        left = await self.inbox.unfinished(older_than)
        done = 0
        for upload in left:
            try:
                again, _ = await self._bring_in(upload)
                await self.finish(again)
                done += 1
            except PackStoreError:
                continue
        return done

    async def _newest(self) -> PackFiles:
        return await self.source.committed(await self.source.newest(self.revision))

    async def _check(self, handed: Handed) -> "_Checked | _Faulty | TurnedAway":
        if len(handed.content) > self.most_bytes:
            return TurnedAway(Reason.TOO_LARGE, f"the file is larger than {self.most_bytes:,} bytes")
        async with self._checking:
            found = await self._newest()
            return await asyncio.to_thread(self._checked, handed, found)

    def _checked(self, handed: Handed, found: PackFiles) -> "_Checked | _Faulty | TurnedAway":
        kind = true_ending(handed.content)
        name = f"{_plain_name(handed.name).rpartition('.')[0] or 'pack'}{kind}"
        alone = self._parse(name, handed.content)
        pack = PackId.of(alone.business_line, alone.project_name)
        if alone.business_line and not handed.caller.may_write(alone.business_line):
            return TurnedAway(Reason.NOT_PERMITTED, f"you may not hand in packs of {pack.business_line}")
        if not (alone.business_line and alone.project_name):
            return _Faulty(pack, alone.problems)
        before = _read(found, self.default_workspace, self._parse)
        place = place_of(pack, before, found.files, found.folder, kind)
        files = {path: data for path, data in found.files.items() if path != place.former_path}
        files[place.path] = handed.content
        content = sha256(handed.content).hexdigest()
        revision = Revision(found.revision.commit, is_committed=True, content=content)
        after = _read(replace(found, files=files, revision=revision), self.default_workspace, self._parse)
        problems = _new_problems(before, after, place.path, name)
        if pack not in after.packs:
            return _Faulty(pack, problems)
        declared = after.packs[pack]
        if _same_address(handed.workspace) != _same_address(declared.workspace):
            return TurnedAway(
                Reason.WRONG_WORKSPACE,
                f"{pack.business_line} shares from {declared.workspace or 'no workspace'}, which is not the one of the "
                "header X-Workspace-URL",
            )
        warnings = tuple(each for each in problems if not each.is_error)
        is_in_git = not place.former_path and found.files.get(place.path) == handed.content
        return _Checked(declared, place, after, warnings, is_in_git)

    async def _reject(self, handed: Handed, faulty: "_Faulty") -> Rejected:
        upload = _blank(handed, faulty.pack)
        errors = [str(each.message) for each in faulty.problems if each.is_error]
        await self.inbox.reject(replace(upload, reason="; ".join(errors)[:2000]))
        return Rejected(upload.id, faulty.problems)

    async def _bring_in(self, upload: Upload) -> tuple[Upload, Entered | None]:
        """Into Git and into the record, each where it is not yet."""
        if self.pulls is not None:
            return await self._propose(upload, self.pulls), None
        stored = await self.store.put(_put(upload))
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
        branch = f"sharepack/{upload.digest[:12]}"
        stored = await self.store.put(_put(upload), branch)
        body = f"Handed in by {upload.caller}. The plan follows in a comment."
        pull = await pulls.open(branch, f"Share pack {upload.pack}", body)
        await self.inbox.proposed(upload, stored.commit, pull.number)
        return replace(upload, commit=stored.commit, pull_request=pull.number, status=UploadStatus.COMMITTED)

    def _name(self, upload: Upload) -> str:
        return f"SharePack_{upload.requestor}_{self.reconciler.clock.now():%Y%m%d_%H%M%S}"


@dataclass(frozen=True, slots=True)
class _Faulty:
    pack: PackId
    problems: tuple[Problem, ...]


def _read(found: PackFiles, default_workspace: str, parse: RememberedFiles) -> Desired:
    return read_packs(found.files, found.revision, default_workspace, packs_folder=found.folder, parse=parse)


def _new_problems(before: Desired, after: Desired, path: str, name: str) -> tuple[Problem, ...]:
    """Those of the file that was handed in, under the name its sender has for it, and those it makes in others."""
    there = set(before.problems)
    mine = [each for each in after.problems if each.where.path == path or each not in there]
    return tuple(replace(each, where=_renamed(each.where, path, name)) for each in mine)


def _renamed(where: Where, path: str, name: str) -> Where:
    return replace(where, path=name) if where.path == path else where


def _upload(handed: Handed, checked: _Checked) -> Upload:
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


def _put(upload: Upload) -> Put:
    files: dict[str, bytes | None] = {upload.path: upload.content}
    if upload.former_path:
        files[upload.former_path] = None
    message = f"Share pack {upload.pack}\n\nHanded in over HTTP by {upload.caller}.\n\nUpload-Id: {upload.id}\n"
    return Put(files, message, f"{upload.requestor.partition('@')[0]} <{upload.requestor}>")


def _plain_name(name: str) -> str:
    """The last part of what may be a path on somebody's machine, with nothing in it but what can be seen."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in last if char.isprintable())[:_LONGEST_NAME] or "pack"


def _same_address(url: str) -> str:
    address = url.strip().rstrip("/").casefold()
    return address if "://" in address else f"https://{address}"
