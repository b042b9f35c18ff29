"""The Git side of a chaos run: each change a commit, some of them reverts; and what a commit declares, read from Git
with code of its own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import time
from typing import Any

from tests.chaos.changes import a_beginning, change
from tests.chaos.landscape import Landscape
from tests.journeys.journey import git

FOLDER = "sharepacks"


@dataclass(slots=True)
class Repository:
    path: Path
    landscape: Landscape = field(default_factory=Landscape)
    #: Older ones, for reverts.
    past: list[Landscape] = field(default_factory=list)
    #: `share/NAME` or `recipient/NAME` → when a commit first took it away, in epoch seconds.
    removed: dict[str, float] = field(default_factory=dict)

    def begin(self, chance: Random) -> None:
        self.path.mkdir(parents=True)
        git(self.path, "init", "--quiet")
        git(self.path, "config", "gc.auto", "0")
        self.landscape = a_beginning(chance)
        self.commit("Begin")

    def change(self, chance: Random, changes: int = 1) -> str:
        """One commit with some random changes; answers their words."""
        before = self._remember()
        words = [change(self.landscape, chance) for _ in range(changes)]
        self.commit("; ".join(words))
        self._note_removed(before)
        return "; ".join(words)

    def revert(self, chance: Random) -> str:
        """A commit that says again what an older one said."""
        if not self.past:
            return ""
        back = chance.randint(1, min(3, len(self.past)))
        then = self.past[-back]
        before = self._remember()
        self.landscape = then.copy()
        self.commit(f"Revert {back}")
        self._note_removed(before)
        return f"{back} back"

    def mend(self) -> bool:
        """Whether there was a broken file."""
        was_broken = bool(self.landscape.broken)
        self.landscape.broken.clear()
        self.commit("Mend all files")
        return was_broken

    def commit(self, message: str) -> None:
        folder, files = self.path / FOLDER, self.landscape.files()
        before = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
        for name in before - files.keys():
            (folder / name).unlink()
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        git(self.path, "add", "--all")
        git(self.path, "commit", "--quiet", "--allow-empty", "--message", message)

    def declared(self) -> Mapping[str, Mapping[str, Any]]:
        """What the commit at the head declares, by `share/NAME` and `recipient/NAME`, as the files have it."""
        names = git(self.path, "ls-tree", "-r", "--name-only", "HEAD", FOLDER).splitlines()
        found: dict[str, Mapping[str, Any]] = {}
        for name in names:
            if name.endswith("/tenants.yaml"):
                continue
            document = json.loads(git(self.path, "show", f"HEAD:{name}"))
            for kind in ("recipient", "share"):
                found |= {f"{kind}/{entry['name']}": entry for entry in document[kind]}
        return found

    @property
    def head(self) -> str:
        return git(self.path, "rev-parse", "HEAD")

    def _remember(self) -> Landscape:
        self.past = [*self.past[-9:], self.landscape.copy()]
        return self.past[-1]

    def _note_removed(self, before: Landscape) -> None:
        for key in before.keys() - self.landscape.keys():
            self.removed.setdefault(key, time())
