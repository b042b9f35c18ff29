"""Suspended packs and contested fields outside plans, for people: by whom, until when, why, and how they end."""

from collections.abc import Iterator, Mapping
from shlex import quote

from reconciler.core.holds import Contest, Suspension
from reconciler.core.key import Key, PackId
from reconciler.render.contest_text import actor_of, field_words
from reconciler.render.lines import Line, Span, Tone, line
from reconciler.render.moments import to_the_minute


def hold_lines(
    pack: PackId, suspension: Suspension | None, contests: Mapping[Key, tuple[Contest, ...]]
) -> Iterator[Line]:
    """Nothing for a pack of which nothing is held."""
    if suspension is not None:
        yield _told(pack, suspension_words(suspension))
        yield line(f"      → {still_done(suspension)}")
    for key, each in sorted(contests.items()):
        for contest in each:
            yield _told(pack, f"{key} {contest_words(contest)}")
    if contests:
        yield line("      → a commit that changes the resource ends that")
    if suspension is not None or contests:
        yield line(f"      → to end it now: {resume_words(pack)}")


def suspension_words(suspension: Suspension) -> str:
    return (
        f"suspended until {to_the_minute(suspension.until)} by {suspension.by}, since "
        f"{to_the_minute(suspension.since)}: {suspension.reason}"
    )


def contest_words(contest: Contest) -> str:
    return (
        f"is contested: {field_words(contest.field)}, which {actor_of(contest)} keeps changing, is left as it is from "
        f"{to_the_minute(contest.since)} until {to_the_minute(contest.until)}"
    )


def still_done(suspension: Suspension) -> str:
    if suspension.revocations_too:
        return "nothing at Databricks is changed for it until then"
    return "until then only what a commit takes away is taken away, and nothing else is changed"


def resume_words(pack: PackId) -> str:
    return f"sharepack resume {quote(str(pack))}"


def _told(pack: PackId, words: str) -> Line:
    return line(Span(f"{pack}: ", Tone.HEADING), Span(words, Tone.CHANGE))
