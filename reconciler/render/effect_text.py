"""What a step does to whoever reads the data, in words that stand out the more they hurt, and counted over a plan."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from reconciler.core.plan import Step
from reconciler.core.severity import Effect
from reconciler.render.lines import Line, Span, Tone, line

_TONES: Final = {
    Effect.NONE: Tone.DIM,
    Effect.METADATA: Tone.DIM,
    Effect.WIDENS: Tone.CHANGE,
    Effect.NARROWS: Tone.CHANGE,
    Effect.BREAKS: Tone.TROUBLE,
    Effect.REVOKES_ALL: Tone.TROUBLE,
}


def step_effect(step: Step) -> Span:
    """The worst of it, and that somebody gains something as well."""
    if step.also_widens and step.effect is Effect.NARROWS:
        return Span("widens and narrows access", _TONES[step.effect])
    worst = effect_span(step.effect)
    return Span(f"{worst.text}, and widens access", worst.tone) if step.also_widens else worst


def effect_span(effect: Effect) -> Span:
    """Also without colour, what breaks a consumer or revokes all is not to be overlooked."""
    mark = "!! " if effect >= Effect.BREAKS else ""
    return Span(f"{mark}{effect.words}", _TONES[effect])


def effects(steps: Iterable[Step]) -> tuple[Counter[Effect], Counter[Effect]]:
    """How many steps have each effect: of those that would be carried out, and of those that are held."""
    done: Counter[Effect] = Counter()
    held: Counter[Effect] = Counter()
    for step in steps:
        if step.is_change:
            (held if step.is_held else done)[step.effect] += 1
    return done, held


def effect_lines(steps: Iterable[Step]) -> Iterator[Line]:
    """`effects  1 revokes all, 2 metadata only; held: 1 breaks the consumer`, worst first; nothing for no changes."""
    done, held = effects(steps)
    if not done and not held:
        return
    said: list[Span] = [*_counts(done)]
    if held:
        said += [Span("; held: " if done else "held: "), *_counts(held)]
    yield line(Span("effects  ", Tone.HEADING), *said)


def _counts(counts: Counter[Effect]) -> Iterator[Span]:
    for index, effect in enumerate(sorted(counts, reverse=True)):
        yield Span(f"{', ' if index else ''}{counts[effect]:,} {effect.words}", _TONES[effect])
