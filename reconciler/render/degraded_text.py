"""Objects that are shared as the file says and that nobody gets to read, because the owner of the share may not read
them any more: which, whose share it is, and what to grant."""

from collections.abc import Iterator, Sequence

from reconciler.core.plan import Degraded, Step
from reconciler.core.verdict import Keep
from reconciler.render.lines import Line, Span, Tone, line


def degraded_lines(steps: Sequence[Step], limit: int) -> Iterator[Line]:
    """The section of a pack's plan; `limit` objects of a share are listed one by one."""
    found = [step for step in steps if step.degraded]
    if not found:
        return
    yield line("  ", Span("Degraded", Tone.HEADING), Span("  shared, and still nobody gets to read it", Tone.DIM))
    for step in found:
        words = "in sync and degraded" if isinstance(step.verdict, Keep) else "degraded"
        yield line("  ", Span(f"! {step.key}  {words}", Tone.TROUBLE))
        yield from degraded_objects(step.degraded, limit)


def degraded_objects(objects: Sequence[Degraded], limit: int) -> Iterator[Line]:
    for each in objects[:limit]:
        yield line(
            f"      {each.object_name}",
            Span(f"   the share's owner {each.owner or '(not told)'} {_lack(each)}", Tone.DIM),
        )
        yield line(f"      → {remedy(each)}")
    if len(objects) > limit:
        yield line(f"      … and {len(objects) - limit:,} more (--full shows all)")


def remedy(degraded: Degraded) -> str:
    who = degraded.owner or "the owner of the share"
    if degraded.missing:
        return f"grant {degraded.missing} to {who}, or give the share an owner who has it"
    return f"look whether {who} may read {degraded.object_name} and use its schema and catalog; grant what is missing"


def _lack(degraded: Degraded) -> str:
    return f"lacks {degraded.missing}" if degraded.missing else "may not read it; the missing privilege is not told"
