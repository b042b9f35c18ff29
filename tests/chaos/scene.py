"""Everything a long run happens to: a Git remote with clones, a sandbox and a database that can be restarted, a queue,
and a fleet of `sharepack` processes."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import asyncpg

from reconciler.adapters.embedded import EmbeddedServer, running
from reconciler.adapters.postgres.migrate import migrate
from tests.chaos.fleet import Fleet, fleet
from tests.chaos.landscape import PRODUCT_TOKEN, SEED
from tests.chaos.queues import AzureQueue, Notifications, Queue
from tests.chaos.repository import FOLDER, Repository
from tests.chaos.tally import Tally
from tests.chaos.workspace import Workspace
from tests.journeys.journey import git

DAEMONS, WORKERS = 2, 3
#: Seconds.
LEASE = 10
_START_WITHIN = 30.0


@dataclass(slots=True)
class Scene:
    folder: Path
    repository: Repository
    origin: Path
    workspace: Workspace
    sandbox: "subprocess.Popen[bytes]"
    database: EmbeddedServer
    dsn: str
    queue: Queue
    fleet: Fleet
    tally: Tally

    def push(self) -> None:
        with suppress(subprocess.CalledProcessError):
            git(self.repository.path, "push", "--quiet", "origin", "HEAD:refs/heads/main")

    def restart_database(self, chance: Random) -> str:
        """Its supervisor starts it again within a second; an immediate stop loses what no transaction has committed."""
        how = chance.choice((signal.SIGINT, signal.SIGQUIT, signal.SIGKILL))
        try:
            lines = (self.database.data_directory / "postmaster.pid").read_text().splitlines()
            os.kill(int(lines[0]), how)
        except (OSError, IndexError, ValueError):
            return ""
        return {signal.SIGINT: "fast", signal.SIGQUIT: "immediate", signal.SIGKILL: "killed"}[how]

    def lose_git(self, *, is_lost: bool) -> None:
        there, away = self.origin, self.origin.with_name("away.git")
        (there if is_lost else away).rename(away if is_lost else there)

    @property
    def is_git_lost(self) -> bool:
        return not self.origin.exists()

    def person(self) -> Path | None:
        """The clone of somebody at the command line, up to date; None while Git is away."""
        place = self.folder / "person"
        try:
            if not place.exists():
                self.clone("person")
            git(place, "pull", "--quiet", "--ff-only")
        except subprocess.CalledProcessError:
            return None
        return place

    def clone(self, name: str) -> Path:
        place = self.folder / name
        git(self.folder, "clone", "--quiet", str(self.origin), str(place))
        return place


@contextmanager
def scene(folder: Path, tally: Tally, chance: Random, *, azure: bool) -> Iterator[Scene]:
    repository = Repository(folder / "packs repository")
    repository.begin(chance)
    origin = folder / "origin.git"
    git(folder, "clone", "--quiet", "--bare", str(repository.path), str(origin))
    git(repository.path, "remote", "add", "origin", str(origin))
    with ExitStack() as stack:
        url, sandbox = stack.enter_context(_sandbox(folder))
        server = stack.enter_context(running(folder / "database"))
        dsn = asyncio.run(_database(server.dsn))
        queue: Queue = AzureQueue.start(folder / "azurite") if azure else Notifications(dsn)
        stack.callback(queue.close)
        environment = _environment(url, dsn, queue)
        there = stack.enter_context(fleet(folder / "logs", environment, tally))
        yield Scene(folder, repository, origin, Workspace(url), sandbox, server, dsn, queue, there, tally)


def populate(scene: Scene) -> None:
    """Two daemons, of which one leads, with workers of their own; and processes that only work."""
    for number in range(DAEMONS):
        arguments = ("daemon", "--workers", "2", "--health-port", "0")
        scene.fleet.add(f"daemon-{number}", *arguments, folder=scene.clone(f"clone {number}"))
    for number in range(WORKERS):
        scene.fleet.add(f"worker-{number}", "worker", "--workers", "2", folder=scene.folder)


def _environment(url: str, dsn: str, queue: Queue) -> Mapping[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    limits = {
        f"MAX_REMOV{end}": "100" if "PERCENT" in end else "10000"
        for end in ("ALS_PER_PACK", "ALS_PER_RUN", "ED_PERCENT_PER_PACK", "ED_PERCENT_PER_RUN")
    }
    return {
        **kept,
        **limits,
        **queue.environment,
        "DOMAIN_DB_CONNECTION_STRING": dsn,
        "DATABRICKS_HOST": url,
        "DATABRICKS_TOKEN": PRODUCT_TOKEN,
        "PACKS_DIR": FOLDER,
        "WORKER_LEASE_SECONDS": str(LEASE),
        "FETCH_INTERVAL_SECONDS": "1",
        "DRIFT_INTERVAL_SECONDS": "10",
        "DRIFT_INTERVAL_LONGEST_SECONDS": "10",
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "DEBUG",
    }


@contextmanager
def _sandbox(folder: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    seed, port = folder / "seed.yaml", folder / "port"
    seed.write_text(SEED, encoding="utf-8")
    command = [sys.executable, "-m", "tests.chaos.sandboxed", "--seed", str(seed), "--port-file", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        give_up_at = time.monotonic() + _START_WITHIN
        while not port.exists():
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise RuntimeError("the sandbox did not start")
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port.read_text(encoding='utf-8')}", process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait()


async def _database(admin: str) -> str:
    connection = await asyncpg.connect(admin)
    try:
        await connection.execute("CREATE DATABASE chaos")
    finally:
        await connection.close()
    dsn = urlsplit(admin)._replace(path="/chaos").geturl()
    await migrate(dsn)
    return dsn
