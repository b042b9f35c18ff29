"""`python -m tests.bench.history` (`make bench-history`): what is in force, read and written over 100,000 and over
10,000,000 historic versions, in one run. Ends with 1 when the long history costs more than 1.5 times the short one, or
when anything that grows is read from end to end."""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import asyncpg
from rich.console import Console
from rich.table import Table

from reconciler.adapters.embedded import running
from reconciler.adapters.postgres.connection import place
from reconciler.adapters.postgres.ids import pack_ids
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.adapters.postgres.resources import Found, write_resources
from reconciler.adapters.postgres.tables import SHARES
from reconciler.adapters.postgres.versions import Change, read_current
from reconciler.core.key import recipient_key, share_key
from reconciler.core.reads import ShareVersion
from reconciler.core.share import ObjectType, Share, SharedObject
from reconciler.ports.archive import Archive
from tests.adapters.postgres.samples import a_plan, an_order
from tests.bench.database import named
from tests.bench.history_rows import LONG, OF_EACH, PACKS, SINCE, SPAN, WORKSPACE, Filled, fill, packs
from tests.bench.report import machine

#: How much longer 100 times as much history may take.
TARGET = 1.5
#: Bytes on disk for each version, with its indexes and its row in the audit trail, and as much again while it is made.
_BYTES = 1000
_THEN = datetime(2024, 6, 1, 12, tzinfo=UTC)
_GROWING = ("shares", "recipients", "share_packs", "audit_trail", "happenings")


@dataclass(slots=True)
class History:
    """One database, and one connection to it."""

    versions: int
    pool: asyncpg.Pool
    ledger: PostgresLedger
    archive: Archive
    filled: Filled
    #: How often something was written.
    writes: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    words: str
    #: With the number of the turn, so that no two turns ask about the same.
    ask: Callable[[History, int], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Measured:
    words: str
    seconds: Mapping[int, float]
    indexes: Sequence[str]
    #: Tables that grow and were read from end to end.
    scanned: Sequence[str]

    @property
    def ratio(self) -> float:
        return self.seconds[max(self.seconds)] / self.seconds[min(self.seconds)]

    @property
    def is_met(self) -> bool:
        return self.ratio <= TARGET and not self.scanned


async def _recorded(history: History, turn: int) -> None:
    """Of two keys with long histories, of two with short ones, and of all that one pack has."""
    numbers = (turn % LONG, LONG + turn)
    keys = [key(f"{kind}_{number}", WORKSPACE) for number in numbers for kind, key in _KEYS]
    state = await history.ledger.recorded(keys, [packs()[turn % PACKS]])
    if len(state.resources) < len(keys):
        raise AssertionError(f"{len(state.resources)} of {len(keys)} resources were found")


async def _current(history: History, turn: int) -> None:
    async with history.pool.acquire() as connection:
        ids = await connection.fetch(
            "SELECT md5('shares' || n)::uuid AS id FROM generate_series($1::int, $1::int + 99) AS n", turn
        )
        await read_current(connection, SHARES, [row["id"] for row in ids])


async def _history(history: History, turn: int) -> None:
    await history.ledger.history(share_key(f"share_{LONG + turn}", WORKSPACE))


def _access(history: History, object_name: str = "", recipient: str = "") -> Awaitable[Sequence[ShareVersion]]:
    return history.archive.share_versions(_THEN, object_name=object_name, recipient=recipient)


async def _table_then(history: History, turn: int) -> None:
    number = LONG + turn
    await _access(history, f"prod.s{number % 100}.t{number}")


async def _table_of_long_then(history: History, turn: int) -> None:
    """The object that the share held at that time, for five of its many versions."""
    version = (_THEN - SINCE) * history.filled.long_versions // SPAN
    if not await _access(history, f"prod.s{turn % LONG}.t{turn % LONG}_{version // 5}"):
        raise AssertionError("nobody could read it then")


async def _recipients_at(history: History, turn: int) -> None:
    await history.archive.recipients_at([f"recipient_{LONG + turn}"], _THEN)


async def _write(history: History, numbers: Sequence[int]) -> None:
    history.writes += 1
    found = []
    for number in numbers:
        item = SharedObject(f"prod.s{number % 100}.new_{history.writes}", ObjectType.TABLE)
        share = Share(f"share_{number}", objects=frozenset({item}), recipients=frozenset({f"recipient_{number}"}))
        found.append(Found(share_key(share.name, WORKSPACE), share))
    owner: UUID = pack_ids(packs()[0]).share_pack
    async with history.pool.acquire() as connection, connection.transaction():
        await write_resources(connection, {owner: found}, Change("bench", "written"))


_KEYS = (("share", share_key), ("recipient", recipient_key))
_LIVE = PACKS * OF_EACH
QUESTIONS = (
    Question("recorded, of a pack and four keys", _recorded),
    Question("current rows of 100 shares", _current),
    Question("state of one pack", lambda history, turn: history.ledger.pack_states(packs()[turn % PACKS])),
    Question(f"all {PACKS} packs", lambda history, _: history.ledger.all_packs()),
    Question("history of a share", _history),
    Question("who could read a table, then", _table_then),
    Question("the same, of a long history", _table_of_long_then),
    Question(
        "what a recipient could read, then",
        lambda history, turn: _access(history, recipient=f"recipient_{1000 + turn}"),
    ),
    Question("what a recipient was, then", _recipients_at),
    Question("write one version", lambda history, turn: _write(history, [LONG + turn])),
    Question("write one version, of a long history", lambda history, turn: _write(history, [turn % LONG])),
    Question("write 100 versions", lambda history, turn: _write(history, range(turn % LONG, _LIVE, _LIVE // 100))),
)


def main() -> int:
    options = _options().parse_args()
    sizes = sorted(options.versions)
    with tempfile.TemporaryDirectory(prefix="sharepack bench ", dir=options.place) as name:
        needed, free = 2 * _BYTES * sum(sizes), shutil.disk_usage(name).free
        if free < needed:
            print(
                f"{needed / 1e9:.0f} GB are needed in {name}, {free / 1e9:.0f} GB are free; see --place",
                file=sys.stderr,
            )
            return 2
        about = machine("")
        with running(Path(name) / "database server") as server:
            measured = asyncio.run(_measure(server.dsn, sizes, options.runs))
    at = datetime.now(UTC)
    _show(Console(width=None if sys.stdout.isatty() else 150), measured, sizes, about, at)
    path = options.json or Path(".cache/bench") / f"history-{at:%Y%m%d-%H%M%S}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_document(measured, about, at), indent=2) + "\n", encoding="utf-8")
    print(f"\n{path}", file=sys.stderr)
    return 0 if all(each.is_met for each in measured) else 1


async def _measure(dsn: str, sizes: Sequence[int], runs: int) -> list[Measured]:
    histories = [await _history_of(dsn, versions) for versions in sizes]
    try:
        return [await _ask(histories, question, runs) for question in QUESTIONS]
    finally:
        for history in histories:
            await history.ledger.close()


async def _history_of(admin: str, versions: int) -> History:
    begun = time.perf_counter()
    connection = await asyncpg.connect(admin)
    await connection.execute(f"CREATE DATABASE history_{versions}")
    await connection.close()
    dsn = named(admin, f"history_{versions}")
    first = await PostgresLedger.open(dsn)
    await first.submit(a_plan(), [an_order(pack) for pack in packs()])
    await first.close()
    connection = await asyncpg.connect(dsn)
    filled = await fill(connection, versions)
    size = await connection.fetchval("SELECT pg_database_size(current_database())")
    await connection.close()
    print(
        f"{versions:,} versions in {time.perf_counter() - begun:.0f} s, {size / 1e9:.2f} GB",
        file=sys.stderr,
        flush=True,
    )
    pool = await asyncpg.create_pool(dsn, min_size=1, max_size=1)
    ledger = PostgresLedger(pool, place(dsn))
    return History(versions, pool, ledger, ledger.portal().archive, filled)


async def _ask(histories: Sequence[History], question: Question, runs: int) -> Measured:
    """By turns, so that both sizes meet the same neighbours on the machine; the first turns only warm up."""
    seconds: dict[int, list[float]] = {history.versions: [] for history in histories}
    before = await _scans(histories[-1])
    for turn in range(-5, runs):
        for history in histories:
            begun = time.perf_counter()
            await question.ask(history, turn % PACKS)
            if turn >= 0:
                seconds[history.versions].append(time.perf_counter() - begun)
    after = await _scans(histories[-1])
    used = [name for name in after if after[name] > before.get(name, 0)]
    return Measured(
        question.words,
        {versions: median(each) for versions, each in seconds.items()},
        sorted(name for name in used if name not in _GROWING),
        sorted(name for name in used if name in _GROWING),
    )


async def _scans(history: History) -> Mapping[str, int]:
    """How often each index was used, and each table read from end to end. The server counts for itself at first."""
    await history.pool.execute("SELECT pg_stat_force_next_flush()")
    rows = await history.pool.fetch(
        """
        SELECT indexrelname AS name, idx_scan AS scans FROM pg_stat_user_indexes
        WHERE relname = ANY ($1::text[])
        UNION ALL SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = ANY ($1::text[])
        """,
        _GROWING,
    )
    return {row["name"]: row["scans"] for row in rows}


def _show(
    console: Console, measured: Sequence[Measured], sizes: Sequence[int], about: Mapping[str, Any], at: datetime
) -> None:
    facts = (
        f"{about['cores']} cores ({about['processor']}), load {about['load_before']} before, commit {about['commit']}"
    )
    console.print(f"{at:%Y-%m-%d %H:%M} UTC, {facts}", highlight=False, soft_wrap=True)
    table = Table("milliseconds over so many versions", box=None, pad_edge=False, header_style="bold")
    for size in sizes:
        table.add_column(f"{size:,}", justify="right", no_wrap=True)
    table.add_column(f"ratio (≤ {TARGET})", justify="right", no_wrap=True)
    table.add_column("found by")
    for each in measured:
        found = ", ".join((*each.indexes, *(f"ALL OF {name}" for name in each.scanned)))
        cells = [f"{1000 * each.seconds[size]:.2f}" for size in sizes]
        table.add_row(each.words, *cells, f"{each.ratio:.2f}{'' if each.is_met else ' !'}", found)
    console.print(table)


def _document(measured: Sequence[Measured], about: Mapping[str, Any], at: datetime) -> Mapping[str, Any]:
    rows = [
        {
            "work": each.words,
            "seconds": {str(versions): round(seconds, 6) for versions, seconds in each.seconds.items()},
            "ratio": round(each.ratio, 3),
            "target": TARGET,
            "is_met": each.is_met,
            "indexes": each.indexes,
            "scanned": each.scanned,
        }
        for each in measured
    ]
    return {"version": 1, "at": at.isoformat(timespec="seconds"), "machine": about, "rows": rows}


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.history", description=__doc__)
    parser.add_argument(
        "--versions", type=int, nargs=2, default=[100_000, 10_000_000], help="sizes of the histories (%(default)s)"
    )
    parser.add_argument(
        "--runs", type=int, default=50, help="turns of each question, whose median counts (%(default)s)"
    )
    parser.add_argument("--place", type=Path, help="folder for the databases (the temporary one)")
    parser.add_argument("--json", type=Path, help="file for the results (.cache/bench/history-TIME.json)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
