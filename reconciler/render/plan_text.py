"""A plan as lines for people: who gains and loses access, how bad the steps are, then pack by pack what the file
changes, what drifted and what is degraded, then one stable summary line. Says what the plan says and decides nothing;
long lists are cut visibly, never those of who can read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.core.desired import Revision
from reconciler.core.managed import UNMANAGED
from reconciler.core.plan import PackPlan, Plan, Step
from reconciler.core.verdict import Ignore, Keep
from reconciler.render.access_text import access_lines, short_workspace
from reconciler.render.degraded_text import degraded_lines
from reconciler.render.effect_text import effect_lines
from reconciler.render.lines import EMPTY, PLAIN, Line, Span, Style, Tone, line, pad, render, width
from reconciler.render.people import people
from reconciler.render.step_text import drift_step_lines, is_by_file, is_by_hand, step_lines
from reconciler.render.step_title import step_title
from reconciler.render.summary import summarize

#: Packs without anything to do are listed up to this many, and counted beyond.
_QUIET_LISTED = 20
_WIDEST_TITLE = 56
_UNCHANGED_NAMED = 4


@dataclass(frozen=True, slots=True)
class Detail:
    #: Objects of one field that are listed one by one.
    listed: int = 20
    #: Put after the summary line: a plan that is only shown changed nothing.
    ending: str = ""


def plan_text(plan: Plan, style: Style = PLAIN, detail: Detail | None = None) -> str:
    return render(tuple(plan_lines(plan, detail or Detail())), style)


def plan_lines(plan: Plan, detail: Detail) -> Iterator[Line]:
    known = people(plan)
    busy = [pack for pack in plan.packs if is_busy(pack)]
    quiet = [pack for pack in plan.packs if not is_busy(pack)]
    yield header(plan.revision, len(plan.packs))
    opening = [*access_lines(plan, known, detail.listed), *effect_lines(plan.steps)]
    if opening:
        yield EMPTY
        yield from opening
    for pack in busy:
        yield EMPTY
        yield from pack_lines(pack, detail.listed)
    if quiet:
        yield EMPTY
        yield from quiet_lines(quiet)
    yield EMPTY
    yield from problem_lines(plan)
    yield summary_line(plan, detail.ending)


def summary_line(plan: Plan, ending: str = "") -> Line:
    said = str(summarize(plan.steps))
    return line(Span(f"{said} {ending}" if ending else said, Tone.HEADING))


def header(revision: Revision, packs: int) -> Line:
    counted = "1 pack" if packs == 1 else f"{packs:,} packs"
    if revision.is_committed:
        branch = f" on {revision.branch}" if revision.branch else ""
        return line(Span(f"{counted} at commit {revision}{branch}.", Tone.DIM))
    where = f"commit {revision}" if revision.commit else "a folder outside Git"
    return line(
        Span(f"{counted}, read from the files as they lie there: {where}. ", Tone.DIM),
        Span("From these nothing is deleted or revoked.", Tone.CHANGE),
    )


def is_busy(pack: PackPlan) -> bool:
    return pack.is_work or pack.is_held or any(not _is_unchanged(step) or step.degraded for step in pack.steps)


def pack_lines(pack: PackPlan, limit: int) -> Iterator[Line]:
    yield pack_line(pack)
    yield from pack_notes(pack)
    shown = shown_steps(pack)
    titles = {step.key: step_title(step, pack.workspace) for step in shown}
    column = min(max(map(width, titles.values()), default=0), _WIDEST_TITLE)
    for step in filter(is_by_file, shown):
        yield from step_lines(step, pad(titles[step.key], column), limit)
    drifted = [step for step in shown if is_by_hand(step)]
    if drifted:
        yield line("  ", Span("Drift", Tone.HEADING), Span("  changed by hand in the workspace", Tone.DIM))
    for step in drifted:
        yield from drift_step_lines(step, pad(titles[step.key], column), limit)
    yield from degraded_lines(pack.steps, limit)
    yield from unchanged_lines(pack)


def pack_notes(pack: PackPlan) -> Iterator[Line]:
    for warning in pack.warnings:
        yield line(Span(f"  warning: {warning}", Tone.CHANGE))
    if pack.needs:
        yield line(f"  applied after {', '.join(str(each) for each in sorted(pack.needs))}")


def shown_steps(pack: PackPlan) -> list[Step]:
    return [step for step in pack.steps if not _is_unchanged(step) and not isinstance(step.verdict, Ignore)]


def _is_unchanged(step: Step) -> bool:
    return isinstance(step.verdict, Keep) and not step.is_held


def pack_line(pack: PackPlan) -> Line:
    region = "" if pack.declared is None or pack.declared.region is UNMANAGED else f" ({pack.declared.region})"
    gone = () if pack.declared is not None else (Span("   removed in Git", Tone.REMOVE),)
    return line(
        Span(pack.path or "(no file)", Tone.HEADING),
        f"   {pack.pack}   {pack.strategy}",
        Span(f"   workspace {short_workspace(pack.workspace)}{region}", Tone.DIM),
        *gone,
    )


def unchanged_lines(pack: PackPlan) -> Iterator[Line]:
    steps = [step for step in pack.steps if _is_unchanged(step) and not step.degraded]
    if not steps:
        return
    named = ", ".join(str(step.key) for step in steps[:_UNCHANGED_NAMED])
    more = f" and {len(steps) - _UNCHANGED_NAMED:,} more" if len(steps) > _UNCHANGED_NAMED else ""
    yield line(Span(f"  = {named}{more}", Tone.DIM))


def quiet_lines(packs: Sequence[PackPlan]) -> Iterator[Line]:
    if len(packs) > _QUIET_LISTED:
        yield line(Span(f"{len(packs):,} packs with nothing to do.", Tone.DIM))
        return
    column = max(width(pack.path) for pack in packs)
    for pack in packs:
        unchanged = f"nothing to do, {len(pack.steps)} unchanged"
        record = "; our record of the file is brought up to date" if pack.rows_behind else ""
        yield line(Span(f"{pad(pack.path, column)}   {pack.pack}   {unchanged}{record}", Tone.DIM))


def problem_lines(plan: Plan) -> Iterator[Line]:
    errors = [problem for problem in plan.problems if problem.is_error]
    if not errors:
        return
    files = len({problem.where.path for problem in errors})
    yield line(
        Span(
            f"{len(errors)} problem{'s'[: len(errors) != 1]} in {files} file{'s'[: files != 1]}: "
            "what stands there is not in this plan, and `sharepack validate` says what is wrong.",
            Tone.TROUBLE,
        )
    )
