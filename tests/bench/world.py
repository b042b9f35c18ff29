"""What is measured against: a sandbox in a process of its own, a durable embedded PostgreSQL, the repositories."""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.adapters.embedded import running
from tests.bench.database import make_template
from tests.bench.generate import Size, sandbox_seed, write_repository

TEMPLATE = "bench_template"
_START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class World:
    folder: Path
    url: str
    admin_dsn: str
    postgres: str
    seed: int
    _repositories: dict[Size, Path] = field(default_factory=dict)

    def repository(self, size: Size) -> Path:
        if size not in self._repositories:
            path = self.folder / f"repository {len(self._repositories)}"
            path.mkdir()
            write_repository(path, size, self.seed)
            self._repositories[size] = path
        return self._repositories[size]


@contextmanager
def world(tables: int, seed: int) -> Iterator[World]:
    with (
        tempfile.TemporaryDirectory(prefix="sharepack bench ") as name,
        _sandbox(Path(name), tables) as url,
        running(Path(name) / "database server") as server,
    ):
        version = asyncio.run(make_template(server.dsn, TEMPLATE))
        yield World(Path(name), url, server.dsn, version, seed)


@contextmanager
def _sandbox(folder: Path, tables: int) -> Iterator[str]:
    seed, port = folder / "seed.yaml", folder / "port"
    seed.write_text(sandbox_seed(tables), encoding="utf-8")
    options = ["--seed", str(seed), "--port-file", str(port), "--log-capacity", "1000"]
    process = subprocess.Popen([sys.executable, "-m", "reconciler.sandbox", *options], stdout=subprocess.DEVNULL)
    try:
        give_up_at = time.monotonic() + _START_SECONDS
        while not port.exists():
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise RuntimeError("the sandbox did not start")
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port.read_text(encoding='utf-8')}"
    finally:
        process.terminate()
        process.wait()
