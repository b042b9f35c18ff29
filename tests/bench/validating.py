"""Validating a folder of packs, and the bare parse of the same files that it is held against."""

import time
from pathlib import Path

import yaml
from yaml import CSafeLoader

from reconciler.core.desired import Revision
from reconciler.packs.document import PackDocument
from reconciler.packs.reading import read_packs
from tests.bench.task import Elsewhere, Task


class Validating:
    def __init__(self, task: Task) -> None:
        self._top = Path(task.place.repository)
        self._packs = task.size.packs
        self._bare: list[float] = []

    async def prepare(self) -> None:
        """The bare parse goes before each run, so that both meet the same neighbours on the machine."""
        self._bare.append(self._bare_parse())

    async def run(self) -> None:
        files = {path.relative_to(self._top).as_posix(): path.read_bytes() for path in self._paths("*.yaml")}
        desired = read_packs(files, Revision(), "https://adb-1.1.azuredatabricks.net", packs_folder="sharepacks")
        if desired.problems or len(desired.packs) != self._packs:
            raise AssertionError(f"{len(desired.packs)} packs are valid; {desired.problems[:3]}")

    async def elsewhere(self) -> Elsewhere:
        return Elsewhere()

    async def close(self) -> None: ...

    def yardsticks(self) -> dict[str, float]:
        return {"limit": min(self._bare)}

    def _bare_parse(self) -> float:
        """Seconds for reading, parsing (C loader) and fitting the files to the same pydantic model, one by one."""
        start = time.perf_counter()
        for path in self._paths("pack_*.yaml"):
            PackDocument.model_validate(yaml.load(path.read_bytes(), Loader=CSafeLoader))
        return time.perf_counter() - start

    def _paths(self, pattern: str) -> list[Path]:
        return sorted((self._top / "sharepacks").rglob(pattern))
