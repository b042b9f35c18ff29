"""Who could read what: asks the archive, and puts together what it answers. Which versions of shares count, and since
when, `core.reads` decides."""

from datetime import datetime

from reconciler.core.access_report import AccessQuestion, AccessReport
from reconciler.core.key import normal_name
from reconciler.core.reads import Reads, reads_at
from reconciler.ports.archive import Archive


async def who_reads(archive: Archive, question: AccessQuestion, now: datetime) -> AccessReport:
    """Raises LedgerError."""
    versions = await archive.share_versions(
        question.at,
        recipient=normal_name(question.recipient),
        object_name=question.object_name.strip(),
        lines=question.lines,
    )
    # A version that answers the question holds other objects and recipients as well.
    lines = tuple(line for line in reads_at(versions, question.at) if _is_asked(line, question))
    recipients = await archive.recipients_at({line.recipient for line in lines}, question.at) if lines else {}
    return AccessReport(question, question.at or now, lines, recipients, await archive.begins_at(question.lines))


def _is_asked(line: Reads, question: AccessQuestion) -> bool:
    recipient, object_name = normal_name(question.recipient), question.object_name.strip()
    return (not recipient or line.recipient == recipient) and (not object_name or line.covers(object_name))
