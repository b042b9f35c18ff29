"""Handing in a pack: choose a file, see what it would do, then hand it in. What is wrong with a file is told with its
spot, all of it at once."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from reconciler.core.plan import Plan
from reconciler.core.problem import Problem
from reconciler.http.pages.frame import Visitor, framed, labelled, message, posting
from reconciler.render.html import plan_parts
from reconciler.render.html.markup import NOTHING, Markup, joined, tag

PATH: Final = "/upload"
#: What Excel and YAML files are called; that alone decides nothing.
_ACCEPTED: Final = ".yaml,.yml,.xlsx"


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that was chosen and not handed in yet."""

    name: str
    workspace: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class UploadView:
    #: Written into the form: the one that was chosen, or the server's own.
    workspace: str = ""
    #: The largest file that is taken, in bytes.
    largest: int = 0
    draft: Draft | None = None
    #: What the draft would do.
    plan: Plan | None = None
    problems: Sequence[Problem] = ()
    #: Why it cannot be handed in, when that is not the file's fault.
    trouble: str = ""


def upload_page(view: UploadView, visitor: Visitor) -> str:
    return framed(
        "Hand in a pack", *_said(view), _form(view, visitor), *_dry_run(view, visitor), visitor=visitor, here=PATH
    )


def _said(view: UploadView) -> Iterator[Markup]:
    if view.draft is None:
        yield tag(
            "p", "First you are shown what it would do; nothing is handed in before you say so.", class_="revision"
        )
    if view.trouble:
        yield message(view.trouble)
    if any(each.is_error for each in view.problems):
        name = view.draft.name if view.draft else "the file"
        count = sum(each.is_error for each in view.problems)
        said = tag("p", f"{name} has {count:,} problem{'s'[: count != 1]}; nothing was handed in.")
        yield message(said, problem_list(view.problems))
    elif view.problems:
        yield message(
            tag("p", "It can be handed in as it is; look at this all the same."),
            problem_list(view.problems),
            tone="change",
        )


def problem_list(problems: Sequence[Problem]) -> Markup:
    return tag("ul", joined(map(_problem, problems), "\n"), class_="problems")


def _problem(problem: Problem) -> Markup:
    hint = tag("p", f"→ {problem.hint}", class_="hint") if problem.hint else NOTHING
    also = tag("p", f"see {problem.also}", class_="hint") if problem.also else NOTHING
    where = tag("code", str(problem.where), class_="path")
    return tag("li", tag("p", where, " ", problem.message, " ", tag("span", problem.rule, class_="dim")), hint, also)


def _form(view: UploadView, visitor: Visitor) -> Markup:
    file = tag(
        "input", type="file", name="file", id="file", accept=_ACCEPTED, required=True, aria_describedby="file-hint"
    )
    size = f", at most {view.largest // 2**20:,} MiB" if view.largest else ""
    place = tag(
        "input",
        type="url",
        name="workspace",
        id="workspace",
        value=view.workspace,
        required=True,
        placeholder="https://adb-1234567890123456.7.azuredatabricks.net",
        aria_describedby="workspace-hint",
    )
    return posting(
        PATH,
        labelled("file", "Share pack", file, f"YAML or Excel{size}"),
        labelled("workspace", "Workspace", place, "the Databricks workspace it is for"),
        tag("button", "Show what it would do", class_="main" if view.plan is None else None),
        visitor=visitor,
        has_file=True,
        class_="panel filter",
    )


def _dry_run(view: UploadView, visitor: Visitor) -> Iterator[Markup]:
    if view.plan is None or view.draft is None:
        return
    heading = tag("h2", "Dry run ", tag("small", f"what {view.draft.name} would do; nothing was written"))
    yield tag("section", heading, _handing_in(view.draft, visitor), plan_parts(view.plan), id="dry-run", class_="part")


def _handing_in(draft: Draft, visitor: Visitor) -> Markup:
    """The file goes along: it is read again, as if it had just been chosen."""
    hidden = {"name": draft.name, "workspace": draft.workspace, "content": b64encode(draft.content).decode()}
    return posting(
        f"{PATH}/submit",
        *(tag("input", type="hidden", name=name, value=value) for name, value in hidden.items()),
        tag("button", "Hand it in", class_="main"),
        tag("p", "It is committed in your name, and done as soon as nothing stands against it.", class_="dim"),
        visitor=visitor,
        has_file=True,
        class_="panel acting",
    )
