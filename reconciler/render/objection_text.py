"""What stands against a step, and the exact words that lift it."""

from collections.abc import Iterator
from shlex import quote

from reconciler.core.guard import Objection
from reconciler.core.plan import Step
from reconciler.render.lines import Line, Span, Tone, line


def objection_lines(step: Step) -> Iterator[Line]:
    """Also the objections that somebody lifted by name."""
    for objection in step.objections:
        yield from trouble_lines(objection.message, objection.hint)
        yield from _lift(objection)
    for words in step.lifted:
        yield line("      ", Span(f"allowed by name: {words}", Tone.CHANGE))


def trouble_lines(message: str, hint: str) -> Iterator[Line]:
    yield line("      ", Span(message, Tone.TROUBLE))
    if hint:
        yield line(f"      → {hint}")


def how_to_lift(objection: Objection) -> str:
    """Empty when nothing lifts it."""
    if not objection.lift:
        return ""
    entry = f"[{{action: {objection.lift}, until: YYYY-MM-DD, reason: …}}]"
    return f"to allow it: --allow {quote(objection.lift)}, or in the pack: allow: {entry}"


def _lift(objection: Objection) -> Iterator[Line]:
    if words := how_to_lift(objection):
        yield line(f"      → {words}")
