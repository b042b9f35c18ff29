"""Who watches, in a line or two, and loudly when nobody does."""

from collections.abc import Iterator

from reconciler.ports.ledger import Daemon
from reconciler.render.lines import Line, Span, Tone, line
from reconciler.render.moments import about
from reconciler.render.status_report import Report


def daemon_lines(report: Report) -> Iterator[Line]:
    if not report.had_daemons:
        words = "No daemon has been heard of: packs change by `sharepack apply` alone, and nobody notices drift."
        yield line(Span(words, Tone.DIM))
        return
    for daemon in report.present_daemons or report.daemons[:1]:
        yield line(Span(_daemon(report, daemon), Tone.DIM))
        if daemon.source_failure:
            words = f"  it cannot fetch the packs; the last good commit stays in force: {daemon.source_failure}"
            yield line(Span(words, Tone.TROUBLE))
    yield line(Span(_pass(report), Tone.DIM))
    for workspace in report.distrusted:
        words = f"{workspace} is read in full at every look: a share of it changed while its updated_at did not."
        yield line(Span(words, Tone.DIM))
    for warning in report.warnings:
        yield line(Span(f"Warning: {warning}. Look after `sharepack daemon`; `sharepack doctor` helps.", Tone.TROUBLE))


def _daemon(report: Report, daemon: Daemon) -> str:
    role = "leads" if daemon.leads else "stands by"
    follows = f", followed commit {daemon.commit[:12]}" if daemon.commit else ""
    return f"Daemon {daemon.name} {role}{follows}, heard of {about(report.silence(daemon))} ago."


def _pass(report: Report) -> str:
    if report.last_full_pass is None:
        return "No daemon has looked at every pack yet."
    seconds = f"{report.last_full_pass:,.0f} s"
    return f"Every pack was last looked at {about(report.last_full_pass)} ago ({seconds})."
