"""The page itself: what comes first, how its parts follow on each other, and that nothing in it can reach the network.
Says what the plan says, and decides nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from reconciler.core.desired import Revision
from reconciler.core.plan import Plan
from reconciler.render.effect_text import effect_lines
from reconciler.render.html.access_part import access_counts, access_part
from reconciler.render.html.graph_part import graph_part
from reconciler.render.html.lines_html import block, words
from reconciler.render.html.markup import NOTHING, Content, Markup, joined, tag
from reconciler.render.html.packs_part import drift_part, held_part, packs_part
from reconciler.render.html.style import STYLE
from reconciler.render.people import people
from reconciler.render.plan_text import header, problem_lines
from reconciler.render.summary import summarize

TITLE: Final = "Share pack plan"
#: Only the style that stands in the page: no script, no picture, no font, no form, no frame, nothing from elsewhere.
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
#: Data objects of a field that are listed one by one; who can read is never cut.
LISTED: Final = 100


@dataclass(frozen=True, slots=True)
class _Section:
    anchor: str
    title: str
    said: str
    content: Markup


def plan_page(plan: Plan, title: str = TITLE, *, listed: int = LISTED, ending: str = "") -> str:
    """`ending` is put after the summary line: a plan that is only shown changed nothing."""
    sections = list(_filled(plan, listed))
    body = tag(
        "body",
        tag("header", *_opening(plan, title, ending), _contents(sections)),
        tag("main", joined(map(_section, sections), "\n")),
        tag("footer", *_facts(plan)),
    )
    page = tag("html", _head(title), body, lang="en")
    return f"<!doctype html>\n{page.html}\n"


def plan_parts(plan: Plan, *, listed: int = LISTED) -> Markup:
    """All that is said of the plan below the heading of a page, for a page that says more than that."""
    sections = list(_filled(plan, listed))
    effects = [*_effects(plan), tag("p", str(summarize(plan.steps)), class_="summary"), block(problem_lines(plan))]
    return joined([*effects, _contents(sections), *map(_section, sections)], "\n")


def _filled(plan: Plan, listed: int) -> Iterator[_Section]:
    return (each for each in _sections(plan, listed) if each.content is not NOTHING and each.content.html)


def _sections(plan: Plan, listed: int) -> Iterator[_Section]:
    steps = list(plan.steps)
    drifted = summarize(steps).drifted
    held = sum(step.is_held for step in steps)
    yield _Section("access", "Access", "who gains and who loses access", access_part(steps, people(plan)))
    yield _Section("graph", "Before and after", "who reads what through which share", graph_part(steps))
    yield _Section("packs", "Packs", "what the files change", packs_part(plan, listed))
    yield _Section("drift", "Drift", f"{drifted:,} changed by hand in the workspace", drift_part(plan, listed))
    standing = f"{held:,} held, and the words that lift them" if held else "allowed by name"
    yield _Section("held", "Objections", standing, held_part(plan))


def _head(title: str) -> Markup:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", STYLE),
    )


def _opening(plan: Plan, title: str, ending: str) -> Iterator[Content]:
    yield tag("h1", title)
    yield tag("p", words(header(plan.revision, len(plan.packs))), class_="revision")
    yield from _effects(plan)
    yield tag("p", " ".join(filter(None, [str(summarize(plan.steps)), ending])), class_="summary")
    yield block(problem_lines(plan))


def _effects(plan: Plan) -> Iterator[Markup]:
    effects = [*access_counts(list(plan.steps)), *effect_lines(plan.steps)]
    if effects:
        yield tag("div", *(tag("p", words(each)) for each in effects), class_="effects")


def _contents(sections: list[_Section]) -> Markup:
    links = (tag("li", tag("a", each.title, href=f"#{each.anchor}")) for each in sections)
    return tag("nav", tag("ul", *links), aria_label="Parts of this page")


def _section(section: _Section) -> Markup:
    return tag(
        "section",
        tag("h2", section.title, " ", tag("small", section.said)),
        section.content,
        id=section.anchor,
        class_="part",
    )


def _facts(plan: Plan) -> Iterator[Markup]:
    rows = [*_revision(plan.revision), ("fingerprint", plan.fingerprint)]
    yield tag("h2", "What this page shows", class_="unseen")
    yield tag("dl", *(part for name, said in rows if said for part in (tag("dt", name), tag("dd", tag("code", said)))))


def _revision(revision: Revision) -> Iterator[tuple[str, str]]:
    yield "commit", revision.commit if revision.is_committed else str(revision)
    yield "branch", revision.branch
    yield "author", revision.author
    yield "content", revision.content
