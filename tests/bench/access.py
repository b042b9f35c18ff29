"""`python -m tests.bench.access`: how long it takes to say who could read what, over a history of 1,000,000 versions of
shares. Each question is put to the archive as the API puts it, until since when is known."""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
from rich.console import Console
from rich.table import Table

from reconciler.adapters.embedded import running
from reconciler.adapters.postgres.archive_access import names_asked, statement
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.reads import reads_at
from reconciler.ports.archive import Archive
from tests.adapters.postgres.long_history import fill
from tests.adapters.postgres.older import migrate_to
from tests.adapters.postgres.samples import PACK, THIRD_PACK, a_plan, an_order
from tests.bench.report import machine

#: What a person waits for without noticing much.
INTERACTIVE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Question:
    words: str
    object_name: str = ""
    recipient: str = ""


QUESTIONS = (
    Question("one table", "prod.s7.t7"),
    Question("one table, one recipient", "prod.s7.t7", "r7"),
    Question("a table through schema shares", "prod.s0.any"),
    Question("a table in every share for a day", "prod.busy.t50", "r7"),
    Question("one recipient", "", "r7"),
)


@dataclass(frozen=True, slots=True)
class Measured:
    question: str
    when: str
    versions: int
    lines: int
    seconds: float
    #: Of shares, that the plan uses to find what was in force.
    indexes: Sequence[str]

    @property
    def is_interactive(self) -> bool:
        return self.seconds <= INTERACTIVE_SECONDS and bool(self.indexes)


def main() -> int:
    options = _options().parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="sharepack bench ") as name,
        running(Path(name) / "database server") as server,
    ):
        measured = asyncio.run(_measure(server.dsn, options.shares, options.versions, options.runs))
    about = machine("")
    _show(Console(width=None if sys.stdout.isatty() else 140), measured, options.shares * options.versions, about)
    return 0 if all(each.is_interactive for each in measured) else 1


async def _measure(dsn: str, shares: int, versions: int, runs: int) -> list[Measured]:
    await migrate_to(dsn, "0006")
    connection = await asyncpg.connect(dsn)
    await _told("filled", fill(connection, [PACK, THIRD_PACK], shares=shares, versions=versions, audited=True))
    ledger = await PostgresLedger.open(dsn)
    await ledger.submit(a_plan(), [an_order(pack) for pack in (PACK, THIRD_PACK)])
    await _told("analysed", connection.execute("VACUUM ANALYZE deltashare.shares", timeout=3600))
    then = datetime(2024, 1, 1, 12, tzinfo=UTC) + timedelta(days=versions // 2)
    archive = ledger.portal().archive
    measured = [await _ask(archive, connection, question, at, runs) for question in QUESTIONS for at in (None, then)]
    await ledger.close()
    await connection.close()
    return measured


async def _told(what: str, work: Any) -> None:
    begun = time.perf_counter()
    await work
    print(f"{what} in {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)


async def _ask(
    archive: Archive, connection: asyncpg.Connection, question: Question, at: datetime | None, runs: int
) -> Measured:
    seconds = []
    for _ in range(runs):
        begun = time.perf_counter()
        versions = await archive.share_versions(at, object_name=question.object_name, recipient=question.recipient)
        lines = reads_at(versions, at)
        seconds.append(time.perf_counter() - begun)
    indexes = await _indexes(connection, question, at)
    return Measured(
        question.words, "now" if at is None else "then", len(versions), len(lines), median(seconds), indexes
    )


async def _indexes(connection: asyncpg.Connection, question: Question, at: datetime | None) -> Sequence[str]:
    names = names_asked(question.object_name)
    readers = [question.recipient] if question.recipient else None
    text = statement(is_past=at is not None, by_object=names is not None, by_recipient=readers is not None)
    found = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {text}", at, names, readers, None)
    used = {index for index in _named(json.loads(found)) if index.startswith(("shares_reads", "shares_span"))}
    return sorted(used)


def _named(plan: Any) -> set[str]:
    match plan:
        case dict():
            own = {plan["Index Name"]} if "Index Name" in plan else set()
            return own.union(*map(_named, plan.values()))
        case list():
            return set[str]().union(*map(_named, plan))
        case _:
            return set()


def _show(console: Console, measured: Sequence[Measured], versions: int, about: dict[str, Any]) -> None:
    console.print(
        f"{versions:,} versions of shares; {about['cores']} cores ({about['processor']}), load {about['load_before']}",
        highlight=False,
        soft_wrap=True,
    )
    table = Table("who could read", "when", box=None, pad_edge=False, header_style="bold")
    for title in ("versions", "lines", "ms"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("found by")
    for each in measured:
        table.add_row(
            each.question,
            each.when,
            f"{each.versions:,}",
            f"{each.lines:,}",
            f"{1000 * each.seconds:.0f}",
            ", ".join(each.indexes),
        )
    console.print(table)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.access", description=__doc__)
    parser.add_argument("--shares", type=int, default=10_000, help="shares (%(default)s)")
    parser.add_argument("--versions", type=int, default=100, help="versions of each (%(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="times that each question is put (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
