"""Below the pictures: pack by pack what its file changes, then what was changed by hand, then what is held and the
words that lift it. Says it in the lines of the plan's text."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from reconciler.core.plan import PackPlan, Plan, Step
from reconciler.core.severity import Effect
from reconciler.core.verdict import Conflict, Unknown
from reconciler.render.degraded_text import degraded_lines
from reconciler.render.effect_text import step_effect
from reconciler.render.html.lines_html import block, toned, words
from reconciler.render.html.markup import NOTHING, Content, Markup, joined, tag
from reconciler.render.lines import Line, Tone
from reconciler.render.objection_text import objection_lines, trouble_lines
from reconciler.render.plan_text import is_busy, pack_line, pack_notes, quiet_lines, shown_steps, unchanged_lines
from reconciler.render.step_text import drift_step_lines, is_by_file, is_by_hand, step_lines
from reconciler.render.step_title import short_place, step_sign, step_title

#: So many packs are shown unfolded; of more, those that break, revoke or are held, when there are few of these.
_UNFOLDED: Final = 5


def packs_part(plan: Plan, limit: int) -> Markup:
    busy = [pack for pack in plan.packs if is_busy(pack)]
    quiet = [pack for pack in plan.packs if not is_busy(pack)]
    unfolded = busy if len(busy) <= _UNFOLDED else [pack for pack in busy if _is_grave(pack)]
    opened = {pack.pack for pack in unfolded} if len(unfolded) <= _UNFOLDED else frozenset()
    shown: list[Content] = [_pack(pack, limit, is_open=pack.pack in opened) for pack in busy]
    if quiet:
        shown.append(tag("div", block(quiet_lines(quiet)), class_="quiet"))
    return joined(shown, "\n")


def drift_part(plan: Plan, limit: int) -> Markup:
    """Nothing where nobody changed anything by hand."""
    return joined(
        tag(
            "section",
            tag("h3", *_pack_words(pack)),
            *(_drifted(step, pack, list(drift_step_lines(step, "", limit))) for step in drifted),
            class_="pack",
        )
        for pack in plan.packs
        if (drifted := [step for step in shown_steps(pack) if is_by_hand(step)])
    )


def held_part(plan: Plan) -> Markup:
    """Also what would be held, had it not been allowed by name. Nothing where there is neither."""
    found = [(pack, step) for pack in plan.packs for step in pack.steps if step.is_held or step.lifted]
    ordered = sorted(found, key=lambda each: not each[1].is_held)
    return joined((_held(step, pack) for pack, step in ordered), "\n")


def _pack(pack: PackPlan, limit: int, *, is_open: bool) -> Markup:
    by_file = [step for step in shown_steps(pack) if is_by_file(step)]
    degraded = list(degraded_lines(pack.steps, limit))
    by_hand = any(is_by_hand(step) for step in pack.steps)
    return tag(
        "details",
        tag("summary", tag("h3", *_pack_words(pack)), _held_count(pack), _worst(pack.steps)),
        block(pack_notes(pack)),
        *(_step(step, pack, list(step_lines(step, "", limit))) for step in by_file),
        tag("p", "Also changed by hand: see Drift.", class_="calm") if by_hand else NOTHING,
        tag("div", block(degraded), class_="degraded") if degraded else NOTHING,
        block(unchanged_lines(pack)),
        tag("p", "fingerprint ", tag("code", pack.fingerprint), class_="calm") if pack.actions else NOTHING,
        class_="pack",
        open=is_open,
    )


def _pack_words(pack: PackPlan) -> Iterator[Content]:
    first, *others = pack_line(pack)
    yield tag("span", words([first]), class_="path")
    yield tag("span", words(others), class_="of")


def _worst(steps: Iterable[Step]) -> Markup:
    """Of those that change something, held ones included."""
    changing = [step for step in steps if step.is_change]
    if not changing:
        return NOTHING
    return badge(max(changing, key=lambda step: step.effect))


def _held_count(pack: PackPlan) -> Markup:
    held = sum(step.is_held for step in pack.steps)
    return tag("span", f"{held:,} held", class_="badge trouble") if held else NOTHING


def badge(step: Step) -> Markup:
    span = step_effect(step)
    return tag("span", span.text.removeprefix("!! "), class_=f"badge {span.tone.value}")


def _is_grave(pack: PackPlan) -> bool:
    return pack.is_held or any(step.is_change and step.effect >= Effect.BREAKS for step in pack.steps)


def _step(step: Step, pack: PackPlan, lines: Sequence[Line]) -> Markup:
    """The first line is told by the heading."""
    return tag("section", _step_heading(step, pack, "h4"), block(lines[1:]), class_="step")


def _drifted(step: Step, pack: PackPlan, lines: Sequence[Line]) -> Markup:
    """The first line also tells since when and by whom, behind its sign and title."""
    by_hand = tuple(span for span in lines[0][2:] if span.tone is Tone.DRIFT)
    told = tag("p", words(by_hand), class_="by-hand") if by_hand else NOTHING
    return tag("section", _step_heading(step, pack, "h4"), told, block(lines[1:]), class_="step")


def _step_heading(step: Step, pack: PackPlan, level: str) -> Markup:
    sign, tone = step_sign(step)
    deed = step_title(step, pack.workspace).removeprefix(str(step.key)).strip()
    return tag(
        level,
        tag("span", sign, class_=f"sign {tone.value}"),
        tag("bdi", str(step.key)),
        tag("span", deed, class_="deed") if deed else NOTHING,
        badge(step) if step.effect is not Effect.NONE else NOTHING,
        toned(Tone.DIM, tag("span", short_place(step.where), class_="place")) if step.where else NOTHING,
        class_="what",
    )


def _held(step: Step, pack: PackPlan) -> Markup:
    return tag(
        "section",
        _step_heading(step, pack, "h3"),
        tag("p", words(pack_line(pack)[:1]), class_="calm"),
        block(_against(step)),
        class_="step held" if step.is_held else "step",
    )


def _against(step: Step) -> Iterator[Line]:
    yield from objection_lines(step)
    match step.verdict:
        case Conflict(_, message, hint):
            yield from trouble_lines(message, hint)
        case Unknown(reason):
            yield from trouble_lines(reason, "nothing is done about it until it can be read")
        case _:
            return
