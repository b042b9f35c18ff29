"""The plan a pack was submitted with last, from the document that was kept of it. Its form is `render.plan_json`'s;
what an older one does not say is left out."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from reconciler.core.severity import Effect
from reconciler.http.pages.tables import short, table, when
from reconciler.ports.kept_plans import KeptPlan
from reconciler.render.html.markup import NOTHING, Content, Markup, joined, tag

_HEADINGS: Final = ("Resource", "Was to be", "Weight", "Stood against it")
#: Verdicts that leave things as they are.
_QUIET: Final = frozenset({"keep", "ignore"})
_EFFECTS: Final = {effect.name.lower(): effect for effect in Effect}


def last_plan(kept: KeptPlan) -> Markup:
    steps = [step for step in _list(kept.pack, "steps") if step.get("verdict") not in _QUIET]
    rows = (
        table("Steps of the last plan", _HEADINGS, map(_cells, steps)) if steps else tag("p", "Nothing was to change.")
    )
    access = joined(_access(each) for each in _list(kept.pack, "access"))
    return joined([_made(kept), tag("ul", access, class_="gains") if access.html else NOTHING, rows])


def _made(kept: KeptPlan) -> Markup:
    return tag(
        "p", "Submitted ", when(kept.made_at), f" by {kept.actor} from commit ", short(kept.commit), class_="behind"
    )


def _access(change: Mapping[str, Any]) -> Markup:
    """Who was to gain and lose what."""
    gains, loses = (", ".join(map(str, change.get(name) or ())) for name in ("gains", "loses"))
    return tag(
        "li",
        tag("b", tag("bdi", str(change.get("recipient", "")))),
        tag("span", f" gains {gains}", class_="add") if gains else NOTHING,
        tag("span", f" loses {loses}", class_="remove") if loses else NOTHING,
    )


def _cells(step: Mapping[str, Any]) -> tuple[Content, ...]:
    effect = _EFFECTS.get(str(step.get("effect")), Effect.NONE)
    tone = "trouble" if effect >= Effect.BREAKS else "change" if effect >= Effect.WIDENS else "plain"
    weight = tag("span", effect.words, class_=f"badge {tone}")
    against = "; ".join(str(each.get("message", "")) for each in _list(step, "objections"))
    return (
        tag("bdi", str(step.get("key", "")), class_="first"),
        str(step.get("verdict", "")),
        weight,
        against or "nothing",
    )


def _list(value: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    found = value.get(name)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []
