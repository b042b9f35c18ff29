"""What is measured against: sandboxes in processes of their own, a durable embedded PostgreSQL, the repositories. Each
is made when a row first needs it, and kept for the others."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.adapters.embedded import running
from reconciler.adapters.git.source import pack_source
from reconciler.stages.read import read_commit
from tests.bench.database import copy_database, make_template, named
from tests.bench.generate import Size, write_repository
from tests.bench.recording import record
from tests.bench.sandboxed import sandboxes
from tests.bench.task import Place

TEMPLATE = "bench_template"


@dataclass(frozen=True, slots=True)
class World:
    folder: Path
    admin_dsn: str
    postgres: str
    postmaster: int
    seed: int
    _open: ExitStack
    _repositories: dict[tuple[Size, tuple[str, ...]], Path] = field(default_factory=dict)
    _sandboxes: dict[tuple[Size, bool], tuple[tuple[str, ...], int]] = field(default_factory=dict)
    _databases: dict[Size, str] = field(default_factory=dict)

    def place(self, size: Size, *, is_filled: bool, has_sandbox: bool = True) -> Place:
        """Where `size` packs are measured: with nothing there yet, or with everything as the packs say."""
        if not has_sandbox:
            urls = tuple(f"https://adb-{number}.1.azuredatabricks.net" for number in range(1, size.workspaces + 1))
            return Place(str(self._repository(size, urls)), self.admin_dsn, TEMPLATE, "bench_work")
        urls, process = self._running(size, is_filled=is_filled)
        return Place(
            repository=str(self._repository(size, urls)),
            admin_dsn=self.admin_dsn,
            template=self._filled(size, urls) if is_filled else TEMPLATE,
            database="bench_work",
            urls=urls,
            sandbox_process=process,
            postmaster=self.postmaster,
        )

    def _repository(self, size: Size, urls: tuple[str, ...]) -> Path:
        key = (size, urls)
        if key not in self._repositories:
            path = self.folder / f"repository {len(self._repositories)}"
            write_repository(path, size, self.seed, urls)
            self._repositories[key] = path
        return self._repositories[key]

    def _running(self, size: Size, *, is_filled: bool) -> tuple[tuple[str, ...], int]:
        key = (size, is_filled)
        if key not in self._sandboxes:
            made = sandboxes(self.folder, size, self.seed, is_filled=is_filled)
            urls, process = self._open.enter_context(made)
            self._sandboxes[key] = tuple(urls), process
        return self._sandboxes[key]

    def _filled(self, size: Size, urls: tuple[str, ...]) -> str:
        if size not in self._databases:
            name = f"bench_filled_{len(self._databases)}"
            asyncio.run(self._fill(size, urls, name))
            self._databases[size] = name
        return self._databases[size]

    async def _fill(self, size: Size, urls: tuple[str, ...], name: str) -> None:
        await copy_database(self.admin_dsn, TEMPLATE, name)
        source = pack_source(self._repository(size, urls) / "sharepacks")
        await record(named(self.admin_dsn, name), await read_commit(source, urls[0]))


@contextmanager
def world(seed: int) -> Iterator[World]:
    with (
        tempfile.TemporaryDirectory(prefix="sharepack bench ") as name,
        running(Path(name) / "database server") as server,
        ExitStack() as open_,
    ):
        version = asyncio.run(make_template(server.dsn, TEMPLATE))
        postmaster = int((server.data_directory / "postmaster.pid").read_text(encoding="utf-8").split()[0])
        yield World(Path(name), server.dsn, version, postmaster, seed, open_)
