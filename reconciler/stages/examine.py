"""Looks at a pack that somebody hands in: whether they may, whether it is one, and whether it goes together with all
other packs of the newest commit. Writes nothing."""

import asyncio
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from typing import Final, TypeAlias

from reconciler.core.desired import Desired, Revision
from reconciler.core.key import PackId
from reconciler.core.pack import SharePack
from reconciler.core.permits import Caller
from reconciler.core.problem import Problem, Where
from reconciler.packs.filing import Place, is_neither, place_of, plain_name, true_ending
from reconciler.packs.handed_in import new_problems, readable, told
from reconciler.packs.reading import read_packs
from reconciler.packs.remembering import RememberedFiles
from reconciler.ports.pack_source import PackFiles, PackSource

_LONGEST_SHOWN: Final = 100


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
    #: What the file says it is, as far as it was read.
    pack: PackId = field(default=PackId.of("", ""), compare=False)


@dataclass(frozen=True, slots=True)
class Faulty:
    pack: PackId
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    pack: SharePack
    place: Place
    desired: Desired
    warnings: tuple[Problem, ...]
    #: The newest commit has this very file.
    is_in_git: bool


Found: TypeAlias = Checked | Faulty | TurnedAway


@dataclass(slots=True)
class Examiner:
    source: PackSource
    default_workspace: str
    most_bytes: int
    #: What is followed (`PackSource.newest`).
    revision: str
    _parse: RememberedFiles = field(default_factory=RememberedFiles)
    #: One after the other: what is remembered is for one thread.
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def look(self, handed: Handed, known: Checked | None = None) -> Found:
        """`known`: the answer of a check before this one."""
        if len(handed.content) > self.most_bytes:
            return TurnedAway(Reason.TOO_LARGE, f"the file is larger than {self.most_bytes:,} bytes")
        newest = await self.source.newest(self.revision)
        if known is not None and known.desired.revision.commit == newest:
            return known
        found = await self.source.committed(newest)
        async with self._reading:
            return await asyncio.to_thread(self._checked, handed, found)

    async def _newest(self) -> PackFiles:
        return await self.source.committed(await self.source.newest(self.revision))

    async def desired_since(self, commit: str) -> Desired:
        """What Git says now, with this commit, which another clone may have pushed, and all that came after it."""
        newest = await self.source.newest(self.revision)
        if commit and newest != commit and not await self.source.descends_from_all([commit], newest):
            await self.source.fetch()
        return await self._read(await self._newest())

    async def _read(self, found: PackFiles) -> Desired:
        async with self._reading:
            return await asyncio.to_thread(_read, found, self.default_workspace, self._parse)

    def _checked(self, handed: Handed, found: PackFiles) -> Found:
        called = plain_name(handed.name)
        if is_neither(called, handed.content):
            hint = "hand in the .yaml or .xlsx file itself"
            problem = Problem(Where(called), "not-a-pack", "the file is neither YAML text nor an Excel workbook", hint)
            return Faulty(PackId.of("", ""), (problem,))
        kind = true_ending(called, handed.content)
        alone = self._parse(f"pack{kind}", handed.content).moved_to(called)
        pack = PackId.of(alone.business_line, alone.project_name)
        if pack.business_line_key and not handed.caller.may_write(pack.business_line):
            shown = pack.business_line[:_LONGEST_SHOWN]
            return TurnedAway(Reason.NOT_PERMITTED, f"you may not hand in packs of {shown}", pack)
        if not (pack.business_line_key and pack.project_key):
            return Faulty(pack, alone.problems)
        before = _read(found, self.default_workspace, self._parse)
        place = place_of(pack, before, found.files, found.folder, kind)
        files = {path: data for path, data in found.files.items() if path != place.former_path}
        files[place.path] = handed.content
        content = sha256(handed.content).hexdigest()
        revision = Revision(found.revision.commit, is_committed=True, content=content)
        after = _read(replace(found, files=files, revision=revision), self.default_workspace, self._parse)
        problems = told(new_problems(before, after, place.path), place.path, called, readable(after, handed.caller))
        if pack not in after.packs or any(each.is_error for each in problems):
            return Faulty(pack, problems)
        declared = after.packs[pack]
        if _same_address(handed.workspace) != _same_address(declared.workspace):
            return TurnedAway(
                Reason.WRONG_WORKSPACE,
                f"{pack.business_line} shares from {declared.workspace or 'no workspace'}, which is not the one of the "
                "header X-Workspace-URL",
                pack,
            )
        is_in_git = not place.former_path and found.files.get(place.path) == handed.content
        return Checked(declared, place, after, problems, is_in_git)


def _read(found: PackFiles, default_workspace: str, parse: RememberedFiles) -> Desired:
    return read_packs(found.files, found.revision, default_workspace, packs_folder=found.folder, parse=parse)


def _same_address(url: str) -> str:
    address = url.strip().rstrip("/").casefold()
    return address if "://" in address else f"https://{address}"
