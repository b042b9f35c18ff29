"""`sharepack access`: who can read what, now or at any time that is on record, and who stands behind it."""

from pathlib import Path
from typing import Final

import click

from reconciler.cli.as_of import PastMoment, as_of
from reconciler.cli.session import run
from reconciler.cli.terminal import Failure, mention, say, style
from reconciler.cli.until import WhenError, zone_named
from reconciler.core.access_report import AccessQuestion, AccessReport
from reconciler.render.access_report_json import access_report_json
from reconciler.render.access_report_text import access_report_text, nothing_words, question_words
from reconciler.render.lines import line
from reconciler.render.spreadsheets import access_csv, access_xlsx
from reconciler.stages.access import who_reads
from reconciler.wiring import Ports, portal

_FORMATS: Final = ("text", "json", "csv", "xlsx")


@click.command()
@click.option("--recipient", metavar="NAME", default="", help="What this recipient can read.")
@click.option("--object", "object_name", metavar="NAME", default="", help="Who can read it, also through its schema.")
@click.option("--line", "lines", multiple=True, metavar="LINE", help="Only by packs of this business line, or several.")
@click.option("--as-of", "date", metavar="DATE", help="At that time, instead of now.")
@click.option("--timezone", metavar="ZONE", help="Such as Europe/Berlin, for a DATE without an offset. Default: here.")
@click.option("--format", "form", type=click.Choice(_FORMATS), help="Default: as FILE ends, else text.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write it there instead.")
def command(
    *,
    recipient: str,
    object_name: str,
    lines: tuple[str, ...],
    date: str | None,
    timezone: str | None,
    form: str | None,
    out: Path | None,
) -> None:
    """Tell who can read what: through which share, since when without a break, by which commit and pull request, who
    approved it, and who the recipient is. Without --recipient and --object, everything.

    An object is a whole name, such as prod_catalog.sales.transactions. Who reads a shared schema reads all that lies in
    it. DATE is a day, which means its end, a time, or how long ago, such as 90d; the answer names the moment. It comes
    from the record: Databricks is not asked (for what was changed by hand: `sharepack status --drift`).

    \b
    Examples:
      sharepack access --object prod_catalog.sales.transactions
      sharepack access --recipient sales-analyst --as-of 2026-03-31
      sharepack access --object prod_catalog.sales.transactions
          --as-of 2026-03-31T18:00 --timezone Europe/Berlin --format json
      sharepack access --line "Sales Operations" --out access.xlsx
    """
    for option, typed in (("--recipient", recipient), ("--object", object_name), *(("--line", each) for each in lines)):
        if not typed.isprintable():
            raise click.UsageError(f"{option}: that has characters no name has")
    chosen = form or _form_of(out)
    if chosen == "xlsx" and out is None:
        raise click.UsageError("--format xlsx: a workbook goes into a file; give --out FILE.xlsx")
    report = run(lambda ports, _settings: _report(ports, recipient, object_name, lines, date, timezone))
    if out is not None:
        _write(report, chosen, out)
    elif chosen == "text":
        say(access_report_text(report, style()))
    else:
        say(_content(report, chosen).decode())
        _mention_nothing(report)


async def _report(
    ports: Ports, recipient: str, object_name: str, lines: tuple[str, ...], date: str | None, timezone: str | None
) -> AccessReport:
    now = ports.clock.now()
    try:
        zone = zone_named(timezone)
        moment = PastMoment(None) if date is None else as_of(date, now, zone)
    except WhenError as error:
        raise click.UsageError(str(error)) from error
    narrowed = frozenset(" ".join(each.split()).casefold() for each in lines) or None
    question = AccessQuestion(recipient.strip(), object_name.strip(), moment.at, moment.words, narrowed)
    return await who_reads(portal(ports).archive, question, now)


def _form_of(out: Path | None) -> str:
    ending = "" if out is None else out.suffix.lower().removeprefix(".")
    return ending if ending in _FORMATS else "text"


def _content(report: AccessReport, form: str) -> bytes:
    match form:
        case "json":
            return access_report_json(report).encode()
        case "csv":
            return access_csv(report.lines, report.recipients).encode()
        case "xlsx":
            return access_xlsx(report.lines, report.recipients, _about(report))
        case _:
            return access_report_text(report).encode()


def _about(report: AccessReport) -> list[tuple[str, str]]:
    told = [("question", question_words(report)), ("at (UTC)", report.at.isoformat()), ("times", "in UTC")]
    return told if report.lines else [*told, ("answer", nothing_words(report))]


def _write(report: AccessReport, form: str, out: Path) -> None:
    try:
        out.write_bytes(_content(report, form))
    except OSError as error:
        raise Failure(f"cannot write {error.filename}: {error.strerror}; name another file") from error
    count = len(report.lines)
    mention([line(f"{question_words(report)}: {count:,} {'line' if count == 1 else 'lines'} in {out}.")])
    _mention_nothing(report)


def _mention_nothing(report: AccessReport) -> None:
    """A table without rows does not say why."""
    if not report.lines:
        mention([line(nothing_words(report))])
