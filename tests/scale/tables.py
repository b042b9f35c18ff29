"""The tables as Markdown, by name: numbers of one result in words and columns. Decides no number."""

from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Final

from tests.scale import assumed
from tests.scale.assumed import DAY, LARGE, Assumption
from tests.scale.large import CALLS_OF_A_PROCESS, Large
from tests.scale.limits import Limit, limits
from tests.scale.result import Lived, Result

_THROTTLED: Final = "answered 429, asked again"
_ASSUMED: Final = {
    "what changes": ("CHANGED", "BY_HAND", "ROTATE_DAYS", "WORKING_HOURS", "OPEN_FOR", "LOST", "DEATHS"),
    "Databricks": ("LATENCY", "RATE", "BURST", "PAGE"),
    "this program": (
        "IN_FLIGHT",
        "CALL_CPU",
        "READ_CPU",
        "PLAN_CPU",
        "FULL_EVERY",
        "HANDS",
        "LEASE",
        "SWEEP",
        "FETCH",
        "PULLS",
    ),
    "a commit": ("COMMITS", "COMMIT_TIME"),
}


def blocks(result: Result) -> dict[str, str]:
    makers: dict[str, Callable[[Result, Large], str]] = {
        "answer": _answer,
        "limits": _limits,
        "calls": _calls,
        "beats": _beats,
        "rates": _rates,
        "onboarding": _onboarding,
        "rows": _rows,
        "memory": _memory,
        "pulls": _pulls,
        "linear": _linear,
        "assumptions": _assumptions,
    }
    large = Large(result)
    return {name: maker(result, large) for name, maker in makers.items()}


def _answer(result: Result, large: Large) -> str:
    slow = result.beats[-1]
    writes = large.calls["writes"] + large.calls["token rotations"]
    measured = result.measured
    rows = [
        (
            "API calls, looks every 15 to 25 minutes",
            _number(large.total_calls),
            f"{large.total_calls / DAY:.0f} a second",
        ),
        (
            f"API calls, looks every {_hours(slow)}",
            _number(large.calls_at(slow)),
            f"{large.calls_at(slow) / DAY:.0f} a second",
        ),
        ("of them writes", _number(writes), f"{_number(large.work)} pieces of work"),
        (
            "daemon processes kept busy by that",
            f"{large.daemon_processors:.2f}",
            f"{_at(slow, large):.2f} every {_hours(slow)}",
        ),
        (
            "queue requests for work",
            _number(large.queue),
            f"and {_number(large.polls)} polls of each idle worker process",
        ),
        ("rows in PostgreSQL", _number(large.rows_in_a_day), f"{_bytes(large.bytes_in_a_day)}, with indexes"),
        (
            "in a year",
            _bytes(365 * large.bytes_in_a_day),
            f"after {_bytes(large.bytes_at_first)} for the packs themselves",
        ),
        ("SQL statements", _number(large.statements), f"{_number(large.commits)} commits"),
        ("log", _bytes(large.log_bytes), "JSON lines of the workers"),
        (
            "Git",
            _bytes(large.changes * measured.git_commit_bytes),
            f"in a repository of {_bytes(LARGE.packs * measured.git_pack_bytes)}",
        ),
        (
            "memory of the daemon",
            _bytes(large.held_memory * 2**20),
            f"{_bytes(large.whole_memory * 2**20)} when all is planned at once",
        ),
    ]
    return _table(("per day", "100,000 packs", "which is"), rows)


def _at(slow: Lived, large: Large) -> float:
    return slow.daemon_cpu * LARGE.packs / slow.packs / DAY


def _limits(result: Result, large: Large) -> str:
    rows = [
        (
            each.what,
            f"{_figure(each.limit)} {each.unit}{'' if each.is_confirmed else ' (unconfirmed)'}",
            "not measured" if each.asked is None else _figure(each.asked),
            _met(each),
            each.takes_over,
            each.source if not each.source.startswith("https:") else f"[page]({each.source})",
        )
        for each in limits(large)
    ]
    return _table(("limit", "documented", "100,000 packs ask", "met at", "what takes over", "source"), rows)


def _met(limit: Limit) -> str:
    if limit.met_at is None:
        return "**met**" if limit.is_met else "not by more packs"
    if limit.met_at > 100 * LARGE.packs:
        return f"beyond {_number(100 * LARGE.packs)} packs"
    words = f"{_figure(limit.met_at)} packs"
    return f"**{words}**" if limit.is_met else words


def _calls(result: Result, large: Large) -> str:
    days = result.days
    head = ("why", *(f"{each.packs:,} packs, a pack" for each in days), "100,000 packs")
    rows = [
        (kind, *(f"{each.calls[kind] / each.packs:.3f}" for each in days), _number(large.calls[kind]))
        for kind in days[0].calls
    ]
    throttled = [f"{each.throttled / each.packs:.3f}" for each in days]
    rows.append((_THROTTLED, *throttled, _number(days[-1].throttled * result.factor)))
    rows.append(("all", *(f"{each.total / each.packs:.3f}" for each in days), _number(large.total_calls)))
    return _table(head, rows)


def _linear(result: Result, large: Large) -> str:
    measures: list[tuple[str, Callable[[Lived], float]]] = [
        ("calls", lambda each: each.total),
        ("looks at a workspace", lambda each: each.counts["looks"]),
        ("CPU seconds of the daemon", lambda each: each.daemon_cpu),
    ]
    rows = []
    for name, of in measures:
        found = [of(each) / each.packs for each in result.days]
        apart = max(found) / min(found) - 1 if min(found) else 0.0
        rows.append((name, *(f"{each:.4g}" for each in found), f"{apart:.1%}"))
    head = ("per pack and day", *(f"{each.packs:,} packs" for each in result.days), "furthest apart")
    return _table(head, rows)


def _beats(result: Result, large: Large) -> str:
    rows = []
    for each in result.beats:
        a_second = large.calls_at(each) / DAY
        longest = max(each.hand_leads, default=0.0)
        rows.append(
            (
                _hours(each),
                "all" if each.full_every == 1 else "one of 6 to 8",
                _number(large.calls_at(each)),
                f"{a_second:.0f}",
                f"{a_second / LARGE.workspaces:.3f}",
                f"{_at(each, large):.2f}",
                f"{median(each.hand_leads) / 60:.0f} min, {longest / 60:.0f} at most" if longest else "none happened",
            )
        )
    head = (
        "looks every",
        "of them in full",
        "calls a day",
        "calls a second",
        "to a workspace",
        "processes busy",
        "a hand edit lasts",
    )
    return _table(head, rows)


def _rates(result: Result, large: Large) -> str:
    rows = []
    for each in result.rates:
        rate = "no limit" if each.rate >= 1e5 else f"{each.rate:.0f} a second"
        part = each.throttled / each.total
        lead = median(each.leads) if each.leads else 0.0
        rows.append(
            (
                rate,
                f"{each.pass_median:.0f} s",
                f"{each.pass_most:.0f} s",
                f"{part:.1%}",
                f"{each.most_in_a_second}",
                f"{lead:.0f} s",
            )
        )
    head = (
        "a workspace accepts",
        "a look at 200 packs",
        "the longest",
        "answered 429",
        "most in a second",
        "merged to verified",
    )
    return _table(head, rows)


def _onboarding(result: Result, large: Large) -> str:
    rows = []
    for each in result.onboarding:
        writes = each.calls["writes"]
        rows.append(
            (
                f"{each.workers} × {each.hands}",
                _number(each.total),
                f"{writes / each.packs:.0f}",
                f"{each.ended_at / 60:.1f} min",
                f"{each.total / each.ended_at:.0f}",
                f"{large.seconds_to_make(each) / 3600:.1f} h",
            )
        )
    packs = result.onboarding[0].packs
    head = (
        "processes × hands",
        "calls",
        "writes a pack",
        f"{packs:,} new packs",
        "calls a second",
        "100,000 at this pace",
    )
    return _table(head, rows)


def _rows(result: Result, large: Large) -> str:
    measured = result.measured
    rows = []
    for table in large.tables:
        kept = (measured.new, measured.change, measured.rotation)
        a_day = large.rows_a_day(table)
        rows.append(
            (
                f"`{table}`",
                *(f"{each.rows.get(table, 0.0):.2f}" for each in kept),
                f"{large.row_bytes(table):,.0f}",
                _number(a_day),
                _bytes(365 * a_day * large.row_bytes(table)),
            )
        )
    new, change, rotation = (
        f"{large.bytes_of(each):,.0f}" for each in (measured.new, measured.change, measured.rotation)
    )
    rows.append(
        (
            "bytes, all tables",
            new,
            change,
            rotation,
            "",
            _bytes(large.bytes_in_a_day),
            _bytes(365 * large.bytes_in_a_day),
        )
    )
    kept = (measured.new, measured.change, measured.rotation)
    rows.append(("SQL statements", *(f"{each.statements:.0f}" for each in kept), "", _number(large.statements), ""))
    rows.append(("commits", *(f"{each.commits:.0f}" for each in kept), "", _number(large.commits), ""))
    rows.append(("bytes of log", *(f"{each.log_bytes:,.0f}" for each in kept), "", _bytes(large.log_bytes), ""))
    head = ("", "a new pack", "a change", "a rotation", "bytes a row", "100,000 packs, a day", "a year")
    return _table(head, rows)


def _memory(result: Result, large: Large) -> str:
    last = result.thoughts[-1]
    measured = result.measured
    rows = [
        (
            "all packs, read",
            _bytes(large.slope("read_peak") * 2**20),
            _bytes(large.slope("read_peak") * LARGE.packs * 2**20),
        ),
        (
            "all packs, and all three states",
            _bytes(large.slope("peak") * 2**20),
            _bytes(large.slope("peak") * LARGE.packs * 2**20),
        ),
        ("CPU to read all files", _seconds(large.slope("read")), _seconds(large.read_seconds)),
        ("CPU to plan all packs", _seconds(large.slope("plan_all")), _seconds(large.plan_seconds)),
        ("CPU of a plan of one pack", _seconds(result.thoughts[0].plan_one), _seconds(large.one_plan_seconds)),
        (
            "CPU of a tick that reads the rows of all packs",
            _seconds(measured.tick_cpu_seconds),
            _seconds(large.tick_seconds),
        ),
        ("Git, packed", _bytes(measured.git_pack_bytes), _bytes(LARGE.packs * measured.git_pack_bytes)),
        (
            "Git, a commit that changes a pack",
            _bytes(measured.git_commit_bytes),
            f"{_bytes(measured.git_fetch_bytes)} to fetch",
        ),
    ]
    return _table((f"measured with {last.packs:,} packs", "a pack", "100,000 packs"), rows)


def _pulls(result: Result, large: Large) -> str:
    rows = [
        (
            f"{each.merged:,}",
            f"{each.open:,.0f}",
            _number(each.shown_by_daemon),
            _number(each.daemon_requests),
            _number(each.daemon_requests_an_hour),
            _number(each.workflow_requests_an_hour),
        )
        for each in result.pulls
    ]
    head = (
        "merged a day",
        "open",
        "plans shown by the daemon",
        "its requests",
        "in the busiest hour",
        "by workflows, in that hour",
    )
    return _table(head, rows)


def _assumptions(result: Result, large: Large) -> str:
    rows = []
    for about, names in _ASSUMED.items():
        for name in names:
            each: Assumption = getattr(assumed, name)
            rows.append((about, f"{each.value:g} {each.unit}", each.source))
    rows.append(("a process", f"{CALLS_OF_A_PROCESS:.0f} calls a second at most", "one call's CPU, one interpreter"))
    return _table(("of", "assumed", "from"), rows)


def _hours(lived: Lived) -> str:
    return "15 to 25 minutes" if lived.interval == 900 else f"{lived.interval / 3600:.0f} h"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value < 10_000 else f"{float(f'{value:.3g}'):,.0f}"


def _figure(value: float) -> str:
    return f"{value:.2g}" if value < 10 else _number(float(f"{value:.3g}"))


def _seconds(value: float) -> str:
    return f"{value:.0f} s" if value >= 10 else f"{value:.1f} s" if value >= 1 else f"{value * 1000:.3g} ms"


def _bytes(value: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f} B"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    aligned = ["---", *("---" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, aligned, *rows))
