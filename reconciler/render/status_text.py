"""The state of packs for people: a table, and under it what needs a word about any of them."""

from collections.abc import Iterator
from typing import Final

from reconciler.core.holds import EXISTENCE
from reconciler.core.key import PackId
from reconciler.core.recorded import PackStatus
from reconciler.core.sighting import Sighting
from reconciler.ports.ledger import PackState
from reconciler.render.daemon_text import daemon_lines
from reconciler.render.degraded_text import degraded_objects
from reconciler.render.element_text import counted
from reconciler.render.hold_text import hold_lines
from reconciler.render.lines import EMPTY, PLAIN, Line, Span, Style, Tone, line, render, table
from reconciler.render.moments import about, moment, to_the_minute, utc
from reconciler.render.status_report import Report, TokenEnd

_TONES: Final = {
    PackStatus.IN_PROGRESS: Tone.CHANGE,
    PackStatus.COMPLETED: Tone.ADD,
    PackStatus.FAILED: Tone.TROUBLE,
    PackStatus.VALIDATION_FAILED: Tone.TROUBLE,
}
#: Degraded objects of a share that are listed one by one.
_LISTED: Final = 20
_NO_PACKS: Final = "No pack is on record yet. `sharepack apply` records the packs it applies."


def status_text(report: Report, style: Style = PLAIN) -> str:
    if not report.states:
        warned = list(daemon_lines(report)) if report.had_daemons else []
        return render([line(_NO_PACKS), *warned], style)
    rows = [_row(state, report) for state in report.states]
    is_looked_for = report.drift is not None
    headings = ["status", "strategy", "applied", "changed", *(["drift"] if is_looked_for else []), "pack", "file"]
    said = [each for state in report.states for each in pack_lines(state, report)]
    lines = [*table(headings, rows), EMPTY, *said, *([EMPTY] if said else []), _counts(report), *daemon_lines(report)]
    return render(lines, style)


def _row(state: PackState, report: Report) -> tuple[Span, ...]:
    gone = " (removed)" if state.is_deleted else ""
    return (
        Span(f"{state.status}{gone}", _TONES[state.status]),
        Span(str(state.strategy)),
        Span(state.applied_commit[:12] or "-"),
        Span(moment(state.last_updated), Tone.DIM),
        *([] if report.drift is None else [_drifted(report.drift.get(state.pack))]),
        Span(str(state.pack)),
        Span(state.path, Tone.DIM),
    )


def _drifted(resources: int | None) -> Span:
    match resources:
        case None:
            return Span("?", Tone.DIM)
        case 0:
            return Span("none", Tone.DIM)
        case count:
            return Span(f"{count} resource{'s'[: count != 1]}", Tone.DRIFT)


def pack_lines(state: PackState, report: Report) -> Iterator[Line]:
    """What needs a word about a pack, each line beginning with its name or set in."""
    pack = state.pack
    if state.error_message or (state.status is PackStatus.IN_PROGRESS and state.provisioning_status):
        yield _told(pack, state.error_message or state.provisioning_status, Tone.PLAIN)
    if pack in report.needing_attention:
        yield _told(pack, "needs attention: its work failed several times in a way nobody understands", Tone.TROUBLE)
        yield line("      → it is tried again once an hour; a commit, or `sharepack apply`, tries it at once")
    yield from hold_lines(pack, report.suspensions.get(pack), report.contests.get(pack, {}))
    for key, seen in report.seen(pack):
        if seen.drift:
            yield _told(pack, f"{key} was changed by hand: {_fields(seen)}{_by_and_since(seen, report)}", Tone.DRIFT)
    for end in report.token_ends(pack):
        yield _told(pack, _token_words(end), Tone.CHANGE if end.days else Tone.TROUBLE)
        yield line(f"      → unless it is to end: sharepack rotate {end.key.name}")
    for key, objects in report.degraded(pack):
        said = f"{key} is degraded: {counted(len(objects), 'object')} of it, shared, that nobody gets to read"
        yield _told(pack, said, Tone.TROUBLE)
        yield from degraded_objects(objects, _LISTED)


def _told(pack: PackId, words: str, tone: Tone) -> Line:
    return line(Span(f"{pack}: ", Tone.HEADING), Span(words, tone))


def _fields(seen: Sighting) -> str:
    return ", ".join("deleted" if field == EXISTENCE else field for field in seen.drift)


def _by_and_since(seen: Sighting, report: Report) -> str:
    by = f", by {seen.drifted_by}" if seen.drifted_by else ""
    if seen.drift_since is None:
        return by
    age = about((report.now - seen.drift_since).total_seconds())
    return f"{by}, known since {to_the_minute(seen.drift_since)} ({age})"


def _token_words(end: TokenEnd) -> str:
    if end.days == 0:
        return f"the token of {end.key} ended {utc(end.ends_at)}"
    return f"the token of {end.key} ends {utc(end.ends_at)}, within {counted(end.days, 'day')}"


def _counts(report: Report) -> Line:
    states = report.states
    numbers = [(status, sum(state.status is status for state in states)) for status in PackStatus]
    words = ", ".join(f"{count} {status}" for status, count in numbers if count)
    objects = sum(len(each) for state in states for _, each in report.degraded(state.pack))
    suspended = sum(state.pack in report.suspensions for state in states)
    contested = sum(len(each) for state in states for each in report.contests.get(state.pack, {}).values())
    drifted = sum(bool(seen.drift) for state in states for _, seen in report.seen(state.pack))
    more = (
        (objects, f"{counted(objects, 'object')} degraded"),
        (drifted, f"{counted(drifted, 'resource')} drifted"),
        (suspended, f"{suspended} suspended"),
        (contested, f"{counted(contested, 'field')} contested"),
    )
    trouble = "".join(f" {said}." for count, said in more if count)
    return line(Span(f"{len(states)} pack{'s'[: len(states) != 1]}: {words}.{trouble} Times are UTC.", Tone.DIM))
