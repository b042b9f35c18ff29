"""What is done to which resource, pack by pack and folded up: what the branch's own words change, and apart from that
what somebody changed by hand."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from reconciler.core.key import Key, PackId
from reconciler.core.plan import PackPlan, Step
from reconciler.core.verdict import Ignore, Keep
from reconciler.render.access_text import short_workspace
from reconciler.render.degraded_text import degraded_lines
from reconciler.render.lines import Line, Span, Tone, line, pad, width
from reconciler.render.markdown.blocks import diff_block, folded
from reconciler.render.markdown.escape import html_code, html_text
from reconciler.render.step_text import drift_step_lines, is_by_file, is_by_hand, step_lines
from reconciler.render.step_title import step_title
from reconciler.render.summary import summarize

#: Objects of one field that are listed one by one.
LISTED: Final = 20
_WIDEST_TITLE: Final = 56


def resource_blocks(packs: Iterable[PackPlan], moved: Mapping[PackId, str], limit: int) -> Iterator[str]:
    for pack in packs:
        shown = [step for step in pack.steps if is_by_file(step) and _is_told(step)]
        lines = [*_about(pack), *_steps(pack, shown, limit), *degraded_lines(pack.steps, limit)]
        if lines or pack.pack in moved:
            yield folded(_summary(pack, shown, moved.get(pack.pack, "")), *([diff_block(lines)] if lines else []))


def drift_blocks(packs: Iterable[PackPlan], limit: int) -> Iterator[str]:
    for pack in packs:
        shown = [step for step in pack.steps if is_by_hand(step)]
        if shown:
            title = f"{html_code(pack.path or str(pack.pack))} {html_text(_counted(len(shown)))}"
            yield folded(title, diff_block(_drift(pack, shown, limit)))


def _counted(count: int) -> str:
    return f"{count:,} resource{'s'[: count != 1]} changed by hand"


def _is_told(step: Step) -> bool:
    return not isinstance(step.verdict, Ignore) and (step.is_held or not isinstance(step.verdict, Keep))


def _about(pack: PackPlan) -> Iterator[Line]:
    for warning in pack.warnings:
        yield line(Span(f"  warning: {warning}", Tone.CHANGE))
    if pack.needs:
        yield line(f"  applied after {', '.join(str(each) for each in sorted(pack.needs))}")


def _steps(pack: PackPlan, steps: list[Step], limit: int) -> Iterator[Line]:
    titles = _titles(pack, steps)
    for step in steps:
        yield from step_lines(step, titles[step.key], limit)


def _drift(pack: PackPlan, steps: list[Step], limit: int) -> Iterator[Line]:
    titles = _titles(pack, steps)
    for step in steps:
        yield from drift_step_lines(step, titles[step.key], limit)


def _titles(pack: PackPlan, steps: list[Step]) -> Mapping[Key, str]:
    titles = {step.key: step_title(step, pack.workspace) for step in steps}
    column = min(max(map(width, titles.values()), default=0), _WIDEST_TITLE)
    return {key: pad(title, column) for key, title in titles.items()}


def _summary(pack: PackPlan, steps: list[Step], moved_from: str) -> str:
    counts = summarize(steps).as_dict()
    order = ("create", "update", "delete", "adopt", "rename", "replace", "release", "record")
    said = [f"{counts[name]:,} to {name}" for name in order if counts[name]]
    if counts["held"]:
        said.append(f"{counts['held']:,} held")
    named = f"{html_code(pack.path)} " if pack.path else ""
    moved = f", moved from {html_code(moved_from)}" if moved_from else ""
    gone = ", removed in Git" if pack.declared is None else ""
    where = f" in {html_code(short_workspace(pack.workspace))}" if pack.workspace else ""
    return f"{named}{html_code(str(pack.pack))}{where}: {', '.join(said) or 'no changes'}{moved}{gone}"
