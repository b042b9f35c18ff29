"""The comment that shows a pull request what merging it does: who gains and loses access first, then how bad it is,
what stands in the way, and what is done to which resource. What is dangerous is there whole; the rest is cut to what a
comment holds, and says so."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from reconciler.core.plan import Plan
from reconciler.core.problem import Problem
from reconciler.core.proposal import Proposal
from reconciler.render.element_text import counted
from reconciler.render.markdown.access import Access, access, access_counts, access_sentences
from reconciler.render.markdown.escape import code, link, prose
from reconciler.render.markdown.fitting import Part, fit
from reconciler.render.markdown.held import held_items, let_go, lifted_items, problem_item
from reconciler.render.markdown.resources import LISTED, drift_blocks, resource_blocks
from reconciler.render.markdown.severity import severity_blocks, severity_lines
from reconciler.render.markdown.verdict import verdict_sentences
from reconciler.render.markdown.workbooks import cell_tables, yaml_blocks
from reconciler.render.plan_text import header
from reconciler.render.summary import summarize

PLAN_MARKER: Final = "<!-- sharepack:plan -->"
#: Characters that a comment, and the text of an issue, may have at GitHub.
LIMIT: Final = 65_536
_SHORT: Final = 16
_APPROVING: Final = (
    "Whoever approves this pull request approves this plan: after the merge the same or less is done. Anything new or "
    "worse is held, told here, and waits for somebody to approve it."
)
_NOT_HERE: Final = (
    "> [!CAUTION]\n> **This plan cannot be shown here, so this check fails.** Who gains and loses access does not fit "
    "into a comment, and nobody should approve what they cannot read. Split the pull request."
)
_NO_LIMIT: Final = 10**9


@dataclass(frozen=True, slots=True)
class PlanComment:
    body: str
    #: Nothing was left out for want of room.
    is_whole: bool
    #: What is dangerous is there whole.
    fits: bool


def plan_comment(
    proposal: Proposal,
    *,
    artefact_url: str = "",
    limit: int = LIMIT,
    earlier: Sequence[tuple[str, str]] = (),
) -> PlanComment:
    """`earlier`: fingerprint and commit of the plans that were shown for the pull request before, oldest first. `limit`
    counts UTF-16 code units."""
    found = access(proposal.plan)
    elsewhere = _elsewhere(artefact_url)
    head = Part(f"{PLAN_MARKER}\n## Share pack plan", (" ".join(_verdict(proposal.plan, found, "Merging this")),))
    foot = Part("---", (_footer(proposal, artefact_url),))
    parts = [head, *_parts(proposal, found), _superseded(earlier), foot]
    fitted = fit(parts, limit, elsewhere)
    if fitted.fits:
        return PlanComment(fitted.text, fitted.is_whole, fits=True)
    return PlanComment(_too_much(proposal, found, foot, limit, elsewhere), is_whole=False, fits=False)


def plan_markdown(plan: Plan) -> str:
    """The whole plan, however long, and without what belongs to a pull request."""
    found = access(plan)
    about = "".join(span.text for span in header(plan.revision, len(plan.packs)))
    head = Part("## Share pack plan", (" ".join(_verdict(plan, found, "Applying this")), prose(about)))
    foot = Part("---", (f"{summarize(plan.steps)}\n\nPlan {code(plan.fingerprint)}",))
    return fit([head, *_parts(Proposal(plan, ""), found, _NO_LIMIT), foot], _NO_LIMIT, "").text


def problems_comment(problems: Sequence[Problem]) -> str:
    """For files that were checked without being planned, as those of a fork are."""
    errors = [problem for problem in problems if problem.is_error]
    if not errors:
        said = "The files of this pull request are valid."
    else:
        files = len({problem.where.path for problem in errors})
        said = f"**{counted(len(errors), 'problem')} in {counted(files, 'file')}.**"
    why = (
        "No plan was made: this pull request comes from another repository, and such a one is not told what there is "
        "at Databricks. Somebody with write access can push its branch here to have it planned."
    )
    head = Part(f"{PLAN_MARKER}\n## Share packs", (said, why))
    items = tuple(map(problem_item, [*errors, *(each for each in problems if not each.is_error)]))
    listed = Part("### Problems", items, rank=1, noun="problems", between="\n")
    return fit([head, listed], LIMIT, "`sharepack validate` tells all").text


def _verdict(plan: Plan, found: Access, verb: str) -> Iterator[str]:
    yield from verdict_sentences(plan, found, verb)


def _parts(proposal: Proposal, found: Access, listed: int = LISTED) -> Iterator[Part]:
    plan = proposal.plan
    errors = [problem for problem in plan.problems if problem.is_error]
    warnings = [problem for problem in plan.problems if not problem.is_error]
    yield Part("### Who gains and loses access", tuple(access_sentences(found)), between="\n")
    yield Part(
        "### And once what is held is allowed by name",
        tuple(access_sentences(_once_allowed(plan, found))),
        between="\n",
    )
    yield Part("### Severity", tuple(severity_lines(plan)), between="\n")
    yield Part("", tuple(severity_blocks(plan)))
    yield Part("### What each pack does", tuple(_resources(proposal, listed)), rank=1, noun="packs")
    yield Part("### Drift in these packs", tuple(drift_blocks(plan.packs, listed)), rank=3, noun="packs")
    yield Part("### Held", tuple(held_items(plan.steps)), between="\n")
    yield Part("### Allowed by name", tuple(lifted_items(plan.steps)), between="\n")
    yield Part("### Problems in files", tuple(map(problem_item, errors)), between="\n")
    yield Part("### Warnings", tuple(map(problem_item, warnings)), rank=5, noun="warnings", between="\n")
    yield Part("### Changed cells", tuple(cell_tables(proposal.workbooks)), rank=2, noun="workbooks")
    yield Part("### Workbooks as YAML", tuple(yaml_blocks(proposal.workbooks)), rank=4, noun="workbooks")


def _once_allowed(plan: Plan, found: Access) -> Access:
    """Whoever approves the plan approves this too: only the words are missing then."""
    packs = tuple(let_go(pack, lambda objection: bool(objection.lift)) for pack in plan.packs)
    return access(replace(plan, packs=packs)).beyond(found)


def _resources(proposal: Proposal, listed: int) -> Iterator[str]:
    yield from resource_blocks(proposal.plan.packs, proposal.moved_from, listed)


def _superseded(earlier: Sequence[tuple[str, str]]) -> Part:
    """Newest first."""
    struck = [f"~~plan {code(plan[:_SHORT])} for commit {code(commit[:12])}~~" for plan, commit in reversed(earlier)]
    return Part("### Superseded", tuple(f"- {each}" for each in struck), rank=6, noun="earlier plans", between="\n")


def _footer(proposal: Proposal, artefact_url: str) -> str:
    left = "left as it is" if proposal.others == 1 else "left as they are"
    others = f"{counted(proposal.others, 'other pack')} {left}." if proposal.others else ""
    whole = f"{link('The whole plan', artefact_url)}." if artefact_url else ""
    about = f"Plan {code(proposal.fingerprint[:_SHORT])} of commit {code(proposal.commit[:12])}, against "
    about += f"{code(proposal.base[:12])}."
    said = [
        " ".join(filter(None, [about, others, whole])),
        _APPROVING,
        f"<sub>Fingerprint {code(proposal.fingerprint)}</sub>",
    ]
    return "\n\n".join(said)


def _elsewhere(artefact_url: str) -> str:
    return f"see {link('the whole plan', artefact_url)}" if artefact_url else "`sharepack plan --full` shows all"


def _too_much(proposal: Proposal, found: Access, foot: Part, limit: int, elsewhere: str) -> str:
    """What counts it can, for a plan nobody can approve from a comment."""
    plan = proposal.plan
    errors = sum(problem.is_error for problem in plan.problems)
    held = len(tuple(held_items(plan.steps)))
    gained, lost = sum(len(each.gains) for each in found.all()), sum(len(each.loses) for each in found.all())
    said = [
        " ".join(_verdict(plan, found, "Merging this")),
        _NOT_HERE,
        f"The whole of it: {elsewhere}.",
        f"{gained:,} objects gained, {lost:,} lost; {held:,} objections, {errors:,} problems in files.",
        *list(severity_lines(plan))[:1],
    ]
    head = Part(f"{PLAN_MARKER}\n## Share pack plan", tuple(said))
    counts = Part("### In numbers", tuple(access_counts(found)), rank=1, noun="recipients", between="\n")
    return fit([head, counts, foot], limit, elsewhere).text
