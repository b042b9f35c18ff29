"""`sharepack plan --since main --commit BRANCH` as a process, of a branch that changes one pack: from the start of the
command to its end.

`python -m tests.bench.commanding FILE ARGUMENT…` is the same command with its SQL statements and its peak memory
counted into FILE; it is run once more for that, so that counting costs the measured runs nothing."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from tests.bench.controls import Controls
from tests.bench.database import named
from tests.bench.meter import Statements, peak_megabytes
from tests.bench.task import Elsewhere, Kind, Task

_TOP = Path(__file__).parents[2]
_ARGUMENTS = ("plan", "--since", "main", "--detailed-exitcode", "--commit")
#: Of `--detailed-exitcode`.
_CHANGES = 2
TOKEN = "dapi-bench"


class Commanding:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._control = Controls(task.place)
        self._folder = Path(tempfile.mkdtemp(prefix="sharepack bench command "))
        self._before = 0.0
        self._told = Elsewhere()

    async def prepare(self) -> None:
        """Warm: what was parsed before is remembered, from runs that are not measured; of one, the counts are taken."""
        self._control.latency(self._task.latency_ms)
        if not self._told.statements:
            if self._task.kind is not Kind.PLAN_ONE_COLD:
                await self.run()
            told = self._folder / "told.json"
            self._command([sys.executable, "-m", "tests.bench.commanding", str(told)])
            values = json.loads(told.read_text(encoding="utf-8"))
            self._told = Elsewhere(statements=values["statements"], peak_mb=values["peak_mb"])
        if self._task.kind is Kind.PLAN_ONE_COLD:
            self._forget()

    async def run(self) -> None:
        self._command([sys.executable, "-m", "reconciler"])

    async def elsewhere(self) -> Elsewhere:
        """CPU seconds of a process that was waited for are counted by whoever waited."""
        return self._told

    async def close(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def yardsticks(self) -> dict[str, float]:
        """The interpreter alone, what the SDK takes to be imported, and the command that does nothing."""
        runs = min(self._task.runs, 3)
        start = _median_seconds(["-c", "pass"], runs)
        latency = self._task.latency_ms / 1000
        return {
            "limit": start + latency,
            "interpreter": start,
            "import of the SDK": _median_seconds(["-c", "import databricks.sdk"], runs) - start,
            "sharepack --help": _median_seconds(["-m", "reconciler", "--help"], runs),
        }

    def _command(self, program: Sequence[str]) -> None:
        place = self._task.place
        tree = Path(place.repository)
        branch = "table" if self._task.kind is Kind.PLAN_ONE_TABLE else "one"
        environment = {
            # As what is installed is, the program is compiled by the first run, which is not measured.
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONPATH": str(_TOP),
            "XDG_CACHE_HOME": str(self._folder / "cache"),
            "DATABRICKS_HOST": place.urls[0],
            "DATABRICKS_TOKEN": TOKEN,
            "DOMAIN_DB_CONNECTION_STRING": named(place.admin_dsn, place.template),
        }
        options = [f"--packs-dir={tree / 'sharepacks'}", f"--state-dir={self._folder / 'state'}"]
        command = [*program, *options, *_ARGUMENTS, branch]
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != _CHANGES:
            raise AssertionError(f"the plan ended with {done.returncode}: {done.stderr[-500:]}")

    def _forget(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()


def _median_seconds(arguments: Sequence[str], runs: int) -> float:
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], cwd=_TOP, stdout=subprocess.DEVNULL, check=True)
        seconds.append(time.perf_counter() - start)
    return median(seconds)


def main() -> None:
    from reconciler.cli import main as sharepack  # noqa: PLC0415 - the measuring process needs nothing of it

    told = Path(sys.argv.pop(1))
    statements = Statements()
    try:
        with statements.counting():
            sharepack()
    finally:
        values = {"statements": statements.count, "peak_mb": peak_megabytes()}
        told.write_text(json.dumps(values), encoding="utf-8")


if __name__ == "__main__":
    main()
