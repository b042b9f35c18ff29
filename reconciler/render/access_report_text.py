"""Who could read what, for people at a terminal: by recipient, then by what brought it about, in 80 columns as far as
names leave room. An answer of nothing is said in words, with how far the record goes back."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from reconciler.core.access_report import AccessQuestion, AccessReport
from reconciler.core.key import recipient_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.reads import Reads
from reconciler.core.recipient import Recipient
from reconciler.render.access_rows import addresses, email, sharing, signs_in
from reconciler.render.element_text import object_text
from reconciler.render.lines import EMPTY, PLAIN, Line, Span, Style, Tone, line, render, width
from reconciler.render.moments import moment

_COLUMNS: Final = 80
_FOOTNOTE: Final = (
    "As packs had it: what was granted by hand in Databricks, or is left to others by a pack, is not on record."
)


def access_report_text(report: AccessReport, style: Style = PLAIN) -> str:
    return render(tuple(access_report_lines(report)), style)


def access_report_lines(report: AccessReport) -> Iterator[Line]:
    if not report.lines:
        yield from wrapped(nothing_words(report))
        return
    for each in wrapped(question_words(report)):
        yield line(Span(each[0].text, Tone.HEADING))
    if report.question.lines is not None:
        yield from wrapped(f"Only of {', '.join(sorted(report.question.lines))}.", tone=Tone.DIM)
    for _, group in groupby(sorted(report.lines, key=_place), key=lambda each: (each.recipient, each.share.workspace)):
        yield EMPTY
        yield from _recipient_lines(report, list(group))
    yield EMPTY
    yield from wrapped(_FOOTNOTE, tone=Tone.DIM)


def question_words(report: AccessReport) -> str:
    """`Who could read prod_catalog.sales.transactions at 2026-03-31 21:59:59 UTC (the end of 2026-03-31 …)`."""
    asked, can = report.question, _can(report.question)
    match asked.recipient, asked.object_name:
        case "", "":
            words = f"Who {can} read what"
        case "", name:
            words = f"Who {can} read {name}"
        case recipient, "":
            words = f"What {recipient} {can} read"
        case recipient, name:
            words = f"How {recipient} {can} read {name}"
    return f"{words} {when_words(report)}"


def nothing_words(report: AccessReport) -> str:
    """The answer to a question of which there is nothing to tell."""
    asked, can = report.question, _can(report.question)
    of_lines = "" if asked.lines is None else f" of {', '.join(sorted(asked.lines))}"
    if report.record_since is None:
        return f"Nothing{of_lines} is on record: no share was ever applied."
    begins = f"{moment(report.record_since)} UTC"
    if report.is_before_the_record:
        return f"What could be read {when_words(report)} is not known: the record{of_lines} begins at {begins}."
    what = asked.object_name or "anything"
    cannot = "cannot" if asked.at is None else "could not"
    said = f"{asked.recipient} {cannot} read {what}" if asked.recipient else f"Nobody {can} read {what}"
    hint = (
        ""
        if not asked.object_name or asked.object_name.count(".")
        else (" Objects go by their whole names, such as prod_catalog.sales.transactions.")
    )
    return f"{said} {when_words(report)}, as far as the record{of_lines} tells; it goes back to {begins}.{hint}"


def when_words(report: AccessReport) -> str:
    now = "" if report.question.at is not None else "now, "
    meant = f" ({report.question.at_words})" if report.question.at_words else ""
    return f"{now}at {moment(report.at)} UTC{meant}"


def wrapped(text: str, indent: int = 0, tone: Tone = Tone.PLAIN, hanging: int = 0) -> Iterator[Line]:
    """Broken between words, with lines after the first `hanging` columns further in; a word that is longer than a line
    has one of its own."""
    start, taken = " " * indent, ""
    for word in text.split(" "):
        longer = f"{taken} {word}" if taken else word
        if taken and len(start) + width(longer) > _COLUMNS:
            yield line(Span(start + taken, tone))
            start, taken = " " * (indent + hanging), word
        else:
            taken = longer
    yield line(Span(start + taken, tone))


def _can(asked: AccessQuestion) -> str:
    return "can" if asked.at is None else "could"


def _place(each: Reads) -> tuple[object, ...]:
    return (each.recipient, each.share.workspace, each.share.name, *_origin(each), each.item.name)


def _origin(each: Reads) -> tuple[object, ...]:
    return (each.since, each.commit, each.created_by, each.pull_requests, each.approved_by, str(each.pack))


def _recipient_lines(report: AccessReport, group: Sequence[Reads]) -> Iterator[Line]:
    first = group[0]
    recipient = report.recipients.get(recipient_key(first.recipient, first.share.workspace))
    yield from _beside(Span(first.recipient, Tone.HEADING), f"in {first.share.workspace}")
    yield from wrapped("; ".join(_who(recipient)), 4)
    for _, same in groupby(group, key=lambda each: (each.share, *_origin(each))):
        yield from _share_lines(list(same), report.question.object_name)


def _beside(name: Span, words: str) -> Iterator[Line]:
    """In one line, where there is room."""
    if width(name.text) + 3 + width(words) <= _COLUMNS:
        yield line(name, Span(f"   {words}", Tone.DIM))
    else:
        yield line(name)
        yield from wrapped(words, 4, Tone.DIM)


def _who(recipient: Recipient | None) -> Iterator[str]:
    kind, metastore = sharing(recipient)
    if recipient is None:
        yield f"{kind}: no pack declared it"
        return
    yield f"{kind}, metastore {metastore}" if metastore else f"{kind}, outside Databricks"
    if email(recipient):
        yield f"e-mail {email(recipient)}"
    if addresses(recipient):
        yield (
            f"reads from {addresses(recipient)}"
            if recipient.allowed_ips is not UNMANAGED
            else (f"addresses {addresses(recipient)}")
        )
    if signs_in(recipient):
        yield f"lets in {signs_in(recipient)}"


def _share_lines(group: Sequence[Reads], asked: str) -> Iterator[Line]:
    first = group[0]
    yield from _beside(Span(f"  {first.share}"), str(first.pack))
    commit = f"commit {first.commit[:12]}" if first.commit else "files that were not committed"
    said = [f"since {moment(first.since)} UTC by {first.created_by}, from {commit}"]
    if first.pull_requests:
        noun = "pull requests" if ", " in first.pull_requests else "pull request"
        said.append(f"{noun} {first.pull_requests}")
    if first.approved_by:
        said.append(f"approved by {first.approved_by}")
    yield from wrapped("; ".join(said), 4, Tone.DIM)
    for each in group:
        yield from wrapped(object_text(each.item) + _through(each, asked), 6, hanging=4)


def _through(each: Reads, asked: str) -> str:
    if not each.is_schema:
        return ""
    if asked and asked.casefold() != each.item.name.casefold():
        return f": {asked} lies in it"
    return ", also what is added to it"
