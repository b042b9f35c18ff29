"""`python -m tests.bench`: measures the main job and prints a table. `--quick` only shows that everything works."""

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from tests.bench.report import Line, document, machine, show
from tests.bench.rows import IN_FLIGHT, Row, rows
from tests.bench.task import Kind, Result, Task
from tests.bench.world import TEMPLATE, World, world

RESULTS = Path(__file__).parents[2] / ".cache" / "bench"


def main() -> int:
    options = _options().parse_args()
    at = datetime.now(UTC)
    chosen = rows(quick=options.quick)
    tables = max(row.size.tables for row in chosen if row.kind is not Kind.VALIDATE)
    console, progress = Console(width=None if sys.stdout.isatty() else 140), Console(stderr=True)
    with world(tables, options.seed) as measured_world:
        about = machine(measured_world.postgres)
        lines = []
        for row in chosen:
            progress.print(f"measuring: {row.title}", highlight=False)
            lines.append(Line(row, measure(row, measured_world, row.runs or options.runs)))
    show(console, lines, about, at)
    path: Path = options.json or RESULTS / f"{at:%Y%m%dT%H%M%SZ}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document(lines, about, at, options.seed), indent=2) + "\n", encoding="utf-8")
    progress.print(f"written to {path}", highlight=False, soft_wrap=True)
    return 0


def measure(row: Row, where: World, runs: int) -> Result:
    """In a process of its own."""
    task = Task(
        kind=row.kind,
        size=row.size,
        repository=str(where.repository(row.size)),
        runs=runs,
        baseline_packs=min(row.baseline_packs, row.size.packs),
        latency_ms=row.latency_ms,
        in_flight=IN_FLIGHT,
        hands=row.hands,
    )
    values = asdict(task)
    if row.kind is not Kind.VALIDATE:
        database = f"bench_{row.size.packs}"
        values |= {"url": where.url, "admin_dsn": where.admin_dsn, "template": TEMPLATE, "database": database}
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.child"],
        input=json.dumps(values),
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{row.title}: the measuring process failed with {done.returncode}; its words are above")
    return Result.from_json(json.loads(done.stdout))


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few small packs, in seconds")
    parser.add_argument("--runs", type=int, default=3, help="runs of each row but the slow ones (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the generated packs (%(default)s)")
    parser.add_argument("--json", type=Path, help="file for the results (.cache/bench/TIME.json)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
