"""From what was found out about each part to a finding: how bad it is and what to do about it. Pure; what is looked at,
and how, is `stages.doctor`'s business."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reconciler.core.checkup import Finding, Level
from reconciler.core.desired import Desired
from reconciler.core.rights import Caller
from reconciler.ports.ledger import Daemon, DatabaseFacts, Figures

#: Seconds that our clock and the database's may differ.
SKEW: Final = 5.0
#: Seconds without a word from the leader after which it counts as gone.
SILENCE: Final = 120.0
#: Seconds after which unfinished work is old.
OLD_WORK: Final = 900.0
_LOW_SPACE: Final = 1024**3
_NO_SPACE: Final = 100 * 1024**2
_UNITS: Final = ((86_400, "days"), (3600, "h"), (60, "min"))


def no_record_yet() -> Finding:
    advice = "nothing has to be done: the first `sharepack plan` or `sharepack apply` makes it"
    return Finding("database", Level.WARN, "nothing is on record yet: no schema, or no database at all", advice)


def database(facts: DatabaseFacts) -> Finding:
    said = f"PostgreSQL {facts.version}, schema at revision {facts.revision}"
    if facts.revision > facts.known_revision:
        words = f"{said}, and this program knows only {facts.known_revision}"
        return Finding("database", Level.FAIL, words, "upgrade sharepack: it must not write what it does not know")
    if facts.revision < facts.known_revision:
        words = f"{said}, older than this program's {facts.known_revision}"
        return Finding("database", Level.WARN, words, "the next command that plans or applies brings it up to date")
    return Finding("database", Level.OK, said)


def clock(facts: DatabaseFacts, before: datetime, after: datetime) -> Finding:
    """`before` and `after` are this machine's times around the question; what lies between them is no difference."""
    seconds = max((before - facts.now).total_seconds(), (facts.now - after).total_seconds(), 0.0)
    if seconds <= SKEW:
        return Finding("clock", Level.OK, f"this machine and the database agree to within {SKEW:g} s")
    side = "behind" if facts.now > after else "ahead of"
    words = f"this machine is {age(seconds)} {side} the database"
    return Finding(
        "clock", Level.WARN, words, "set both clocks by NTP; leases go by the database's, tokens by this one"
    )


def space(free: int) -> Finding:
    said = f"{free / 1024**3:,.1f} GiB are free for the embedded database"
    advice = "make room, or use a database of your own (`domain_db_connection_string`)"
    if free < _NO_SPACE:
        return Finding("disk", Level.FAIL, said, advice)
    return Finding("disk", Level.WARN, said, advice) if free < _LOW_SPACE else Finding("disk", Level.OK, said)


def packs(desired: Desired, folder: str) -> Finding:
    unread = {problem.where.path for problem in desired.problems if problem.is_error}
    said = f"{_count(len(desired.packs), 'pack')} in {folder}"
    if unread:
        level = Level.WARN if desired.packs else Level.FAIL
        words = f"{said}, and {_count(len(unread), 'file')} with problems"
        advice = "`sharepack validate` shows them; until then nothing of their business lines is deleted or revoked"
        return Finding("packs", level, words, advice)
    if not desired.packs:
        return Finding("packs", Level.WARN, said, "check `packs_dir`, or write one: `sharepack template`")
    return Finding("packs", Level.OK, f"{said}, all readable")


def identity(caller: Caller) -> Finding:
    groups = ", ".join(sorted(caller.groups)[:5]) + (", …" if len(caller.groups) > 5 else "")
    return Finding("identity", Level.OK, f"{caller.name}{f', in {groups}' if groups else ''}")


def metastore(caller: Caller) -> Finding:
    said = caller.metastore_id or "its global id is not told; it"
    if caller.shares_externally:
        return Finding("metastore", Level.OK, f"{said} lets recipients of any kind in")
    words = f"{said} lets no D2O recipient in: external Delta Sharing is not enabled on it"
    advice = "have an account admin set its delta_sharing_scope to INTERNAL_AND_EXTERNAL, if there are to be any"
    return Finding("metastore", Level.WARN, words, advice)


@dataclass(frozen=True, slots=True)
class _Right:
    """What the caller can do with privileges on the metastore (contract 2.6, 4.5, 4.6)."""

    verb: str
    privileges: tuple[str, ...]
    #: How bad it is without.
    lacking: Level
    #: What goes without.
    without: str


_RIGHTS: Final = (
    _Right("create recipients", ("CREATE_RECIPIENT",), Level.FAIL, "no recipient can be made"),
    _Right("create and rename shares", ("CREATE_SHARE",), Level.FAIL, "no share can be made"),
    _Right("read recipients", ("USE_RECIPIENT",), Level.WARN, "only its own recipients can be read"),
    _Right("read shares", ("USE_SHARE",), Level.WARN, "only its own shares can be read"),
    _Right("set share permissions", ("USE_SHARE", "SET_SHARE_PERMISSION"), Level.OK, "on its own shares only"),
)


def rights(caller: Caller) -> Iterator[Finding]:
    """A line for each verb; to change, rotate or delete what it owns, the caller needs no right."""
    for right in _RIGHTS:
        missing = [each for each in right.privileges if not caller.has(each)]
        if not missing:
            held = "metastore admin" if caller.is_metastore_admin else " and ".join(map(_in_sql, right.privileges))
            yield Finding("rights", Level.OK, f"{right.verb}: yes ({held})")
            continue
        words = f"{right.verb}: {right.without} (no {' and no '.join(map(_in_sql, missing))} on the metastore)"
        grants = " ".join(f"{_grant(each, caller.name)};" for each in missing)
        who = "a metastore admin runs" if right.lacking is not Level.OK else "for others' shares a metastore admin runs"
        yield Finding("rights", right.lacking, words, f"{who}: {grants}")
    if caller.is_metastore_admin:
        yield Finding("rights", Level.OK, "rename recipients: yes, its own (metastore admin)")
    else:
        yield Finding("rights", Level.OK, "rename recipients: no, that takes a metastore admin; such a plan is held")


def _in_sql(privilege: str) -> str:
    return privilege.replace("_", " ")


def _grant(privilege: str, principal: str) -> str:
    quoted = principal.replace("`", "``")
    return f"GRANT {_in_sql(privilege)} ON METASTORE TO `{quoted}`"


def pause(seconds: float) -> Finding:
    words = f"it has asked everybody to wait (429); {age(seconds)} remain"
    return Finding("pause", Level.WARN, words, "nothing has to be done; lower `databricks_in_flight` if it comes often")


def daemons(heard_of: Sequence[Daemon], now: datetime) -> Iterator[Finding]:
    """`now` by the database's clock."""
    if not heard_of:
        words = "no daemon was heard of within a day"
        yield Finding("daemon", Level.WARN, words, "run `sharepack daemon`, or nobody notices changes made by hand")
        return
    fresh = [each for each in heard_of if _silent_for(each, now) <= SILENCE]
    leader = next((each for each in fresh if each.leads), None)
    last = min(heard_of, key=lambda each: _silent_for(each, now))
    if leader is None and fresh:
        words = f"{_count(len(fresh), 'daemon')} and none of them leads"
        yield Finding("daemon", Level.WARN, words, "one takes over within seconds; look again, then at their logs")
    elif leader is None:
        words = f"{last.name} was heard of {age(_silent_for(last, now))} ago, and nobody since"
        yield Finding("daemon", Level.FAIL, words, "start it again; its log says why it ended")
    else:
        others = f", {_count(len(fresh) - 1, 'other')} ready to take over" if len(fresh) > 1 else ""
        words = f"{leader.name} leads, heard of {age(_silent_for(leader, now))} ago{others}"
        yield Finding("daemon", Level.OK, words)
    if leader is not None and leader.source_failure:
        words = f"{leader.name} cannot fetch the packs: {leader.source_failure}"
        yield Finding(
            "daemon", Level.WARN, words, "the last good commit stays in force, and deletions wait, until it can"
        )


def _silent_for(daemon: Daemon, now: datetime) -> float:
    return max(0.0, (now - daemon.seen_at).total_seconds())


def full_pass(last: float | None, within: float) -> Finding:
    """`last` and `within` in seconds."""
    if last is None:
        words = "no daemon has looked at every pack yet"
        return Finding("full pass", Level.WARN, words, "the leader does within minutes of its start; its log says more")
    said = f"every pack was looked at {age(last)} ago"
    if last > within:
        words = f"{said}, more than {age(within)}"
        return Finding("full pass", Level.FAIL, words, "look at the log of the daemon that leads, or start it again")
    return Finding("full pass", Level.OK, said)


def work(figures: Figures) -> Iterator[Finding]:
    if figures.needing_attention:
        words = f"{_count(figures.needing_attention, 'pack')} failed in a way nobody understands"
        yield Finding(
            "work", Level.WARN, words, "`sharepack status` says how; a commit or `sharepack apply` tries again"
        )
    if figures.unknown_outcomes:
        words = f"of {_count(figures.unknown_outcomes, 'call')} to Databricks nobody knows what came"
        yield Finding("work", Level.WARN, words, "the next worker on that pack finds out by reading; run one")
    oldest = figures.oldest_unfinished or 0.0
    said = f"{_count(figures.unfinished, 'pack')} waiting or being worked on"
    if oldest > OLD_WORK:
        words = f"{said}, the oldest for {age(oldest)}"
        yield Finding("work", Level.WARN, words, "`sharepack status` says what it waits for; is a worker running?")
    else:
        yield Finding("work", Level.OK, said)
    if figures.distrusted:
        words = f"{_count(figures.distrusted, 'workspace')} where a share changed while its updated_at did not"
        yield Finding("lists", Level.WARN, words, "each look reads it in full; `sharepack status` names it")
    yield from _left_alone(figures)


def _left_alone(figures: Figures) -> Iterator[Finding]:
    if figures.drifted:
        words = f"{_count(figures.drifted, 'resource')} changed by hand and not corrected"
        since = f", the oldest for {age(figures.oldest_drift)}" if figures.oldest_drift is not None else ""
        yield Finding("drift", Level.OK, words + since, "`sharepack status --drift` shows them")
    if figures.suspended or figures.contested:
        words = f"{_count(figures.suspended, 'pack')} suspended, {_count(figures.contested, 'field')} contested"
        yield Finding("holds", Level.OK, words, "`sharepack resume PACK` ends them before their time")


def age(seconds: float) -> str:
    """`45 s`, `12 min`, `3 h`, `2 days`: rounded down, from twice the unit on."""
    for size, unit in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s'[: number != 1]}"
