"""Writes what a run has shown where people read it: the README's table, the picture, and the whole of it in
docs/bench.md. Each stands between two marks; the rest of the files is left as it is."""

import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from textwrap import fill
from typing import Any

from rich.console import Console

from tests.bench.picture import picture
from tests.bench.report import show, shown
from tests.bench.task import Kind

PICTURE = Path("docs/speed.svg")
_ALTERNATIVE = "Seconds against packs: validating, planning, looking for drift, applying; beside limit and baselines"
_BEGIN, _END = "<!-- speed -->", "<!-- end of speed -->"
#: What the short table shows: of each kind the most packs, but of those the number that is judged.
_SHORT: Mapping[Kind, int] = {
    Kind.VALIDATE: 10_000,
    Kind.PLAN_ONE: 10_000,
    Kind.PLAN_UNCHANGED: 1000,
    Kind.QUIET: 1000,
    Kind.APPLY: 200,
}


class MarksMissingError(Exception):
    """The file does not say where the figures go."""


def write_readme(top: Path, results: Mapping[str, Any]) -> None:
    """Raises MarksMissingError; nothing is written then."""
    pages = {
        top / "README.md": f"![{_ALTERNATIVE}]({PICTURE})\n\n{_short(results)}",
        top / "docs" / "bench.md": f"![{_ALTERNATIVE}]({PICTURE.name})\n\n```\n{whole(results)}```\n",
    }
    texts = {path: between(path.read_text(encoding="utf-8"), words) for path, words in pages.items()}
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    (top / PICTURE).write_text(picture(results), encoding="utf-8")


def between(text: str, words: str) -> str:
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise MarksMissingError(f"there is no {_BEGIN} … {_END}")
    return f"{before}{_BEGIN}\n\n{words}\n{_END}{after}"


def whole(results: Mapping[str, Any]) -> str:
    written = io.StringIO()
    show(Console(file=written, width=160, color_system=None), results)
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines()) + "\n"


def _short(results: Mapping[str, Any]) -> str:
    about = results["machine"]
    where = f"{datetime.fromisoformat(results['at']):%Y-%m-%d}, {about['cores']} cores ({about['processor']})"
    titles = ("work", "seconds", "API calls", "limit", "one call after another", "10 in flight", "at 15 a second")
    lines = [f"| {' | '.join(titles)} |", f"|---|{'---:|' * (len(titles) - 1)}"]
    lines += [f"| {' | '.join(_cells(row))} |" for row in _chosen(results["rows"])]
    note = (
        f"*Measured on {where}, Python {about['python']}, by `make bench` at commit {about['commit'] or '-'}; seconds. "
        "The last three do the same without a record: scripts, and the way the Terraform provider refreshes, without "
        "and with its own limit.*"
    )
    return "\n".join(lines) + f"\n\n{fill(note, 120, break_on_hyphens=False)}\n"


def _chosen(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    good = [row for row in rows if not row["error"]]
    found = []
    for kind, packs in _SHORT.items():
        mine = [row for row in good if row["kind"] == kind and row["packs"] <= packs]
        if mine:
            found.append(max(mine, key=lambda row: (row["packs"], row["latency_ms"])))
    return found


def _cells(row: Mapping[str, Any]) -> list[str]:
    yardsticks = row["yardsticks"]
    return [
        row["work"],
        f"**{shown(row['seconds'])}**",
        f"{row['api_calls']:,}" if row["api_calls"] else "-",
        *(shown(value) for value in (row["limit_seconds"], *map(yardsticks.get, ("A", "B", "B throttled")))),
    ]
