"""Access as pictures, a picture for each part that has nothing to do with the others, those that change most first; the
words before, after and what changes switch all of them without a script."""

from collections.abc import Mapping, Sequence
from typing import Final

from reconciler.core.access_graph import AccessGraph, Standing, access_graph, components, concerned
from reconciler.core.plan import Step
from reconciler.render.access_text import access_of, effective, short_workspace, whole_schemas
from reconciler.render.html.graph_layout import lay_out
from reconciler.render.html.graph_svg import Counts, counted_nodes, counts, drawing, sample
from reconciler.render.html.markup import NOTHING, Content, Markup, joined, tag

#: Lines of a plan that change, up to which every object that changes is drawn for itself.
_DRAWN_WHOLE: Final = 600
_ALIKE_DRAWN: Final = 4
#: Pictures that are not folded away.
_UNFOLDED: Final = 6
_NAMED: Final = 3
_VIEWS: Final = (("change", "What changes"), ("before", "Before"), ("after", "After"))
_LEGEND: Final = (
    (Standing.GAINED, "gained"),
    (Standing.LOST, "lost"),
    (Standing.OTHERWISE, "another part of it"),
    (Standing.STAYS, "stays"),
)


def graph_part(steps: Sequence[Step]) -> Markup:
    """Nothing where no share that is read changes."""
    by_workspace: dict[str, list[Step]] = {}
    for step in steps:
        by_workspace.setdefault(step.key.workspace, []).append(step)
    graphs = {workspace: access_graph(map(effective, each)) for workspace, each in sorted(by_workspace.items())}
    drawn = {workspace: concerned(graph) for workspace, graph in graphs.items()}
    changed = sum(edge.standing is not Standing.STAYS for graph in drawn.values() for edge in graph.contents)
    limit = changed if changed <= _DRAWN_WHOLE else _ALIKE_DRAWN
    if not any(graph.grants for graph in drawn.values()):
        return NOTHING
    return joined(
        [
            tag("div", _views(), _legend(), class_="controls"),
            *(
                _workspace_part(workspace, drawn[workspace], by_workspace[workspace], limit, is_named=len(graphs) > 1)
                for workspace in graphs
                if drawn[workspace].grants
            ),
            *_left_out(graphs, drawn, is_bundled=limit < changed),
        ]
    )


def _workspace_part(workspace: str, graph: AccessGraph, steps: Sequence[Step], limit: int, *, is_named: bool) -> Markup:
    changed = counts(access_of(steps)[workspace])
    schemas = whole_schemas(steps)
    heading: Content = tag("h3", f"in {short_workspace(workspace)}") if is_named else ""
    parts = components(graph)
    pictures = [_picture(part, changed, schemas, limit) for part in parts]
    if len(parts) > 1:
        pictures = [
            tag("details", tag("summary", _named(part)), picture, open=index < _UNFOLDED)
            for index, (part, picture) in enumerate(zip(parts, pictures, strict=True))
        ]
    return joined([heading, *pictures])


def _picture(graph: AccessGraph, changed: tuple[Counts, Counts], schemas: frozenset[str], limit: int) -> Markup:
    svg = drawing(lay_out(graph, limit, schemas), graph, *changed)
    return tag("div", svg, class_="scroll", tabindex=0, role="group", aria_label=counted_nodes(graph))


def _named(graph: AccessGraph) -> str:
    names = sorted(graph.recipients)
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def _views() -> Markup:
    return tag(
        "fieldset",
        tag("legend", "Show", class_="unseen"),
        *(
            joined(
                [
                    tag("input", type="radio", name="view", id=f"view-{name}", checked=name == "change"),
                    tag("label", words, for_=f"view-{name}"),
                ]
            )
            for name, words in _VIEWS
        ),
        class_="views",
    )


def _legend() -> Markup:
    return tag("ul", *(tag("li", sample(standing), words) for standing, words in _LEGEND), class_="legend")


def _left_out(graphs: Mapping[str, AccessGraph], drawn: Mapping[str, AccessGraph], *, is_bundled: bool) -> list[Markup]:
    left = sum(len(graph.shares) - len(drawn[workspace].shares) for workspace, graph in graphs.items())
    said = []
    if is_bundled:
        said.append(f"More than {_ALIKE_DRAWN} objects that change alike are drawn as one; each is named under Access.")
    if left:
        them = "1 other share is" if left == 1 else f"{left:,} other shares are"
        said.append(f"{them} not drawn: nothing in it changes, or nobody reads it.")
    return [tag("p", " ".join(said), class_="calm")] if said else []
