"""Makes a text that must stay below a length: what may not be cut is there whole or not at all, the rest is left out
entry by entry, the least important first, and each cut says so. Knows nothing of what the parts say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.render.markdown.escape import length

#: For parts that may not be cut.
NEVER: Final = 0
#: By how much the words of a cut and the breaks around it may grow when some entries are kept.
_SLACK: Final = 8


@dataclass(frozen=True, slots=True)
class Part:
    """A heading and entries, in Markdown."""

    heading: str
    entries: tuple[str, ...]
    #: `NEVER`, or the larger the sooner it is cut.
    rank: int = NEVER
    #: What an entry is, such as `packs`, for the words that tell of a cut.
    noun: str = ""
    #: Between entries: a blank line for blocks, a single break for the lines of a list.
    between: str = "\n\n"


@dataclass(frozen=True, slots=True)
class Fitted:
    text: str
    #: Nothing was cut.
    is_whole: bool
    #: All that may not be cut is there.
    fits: bool


def fit(parts: Sequence[Part], limit: int, elsewhere: str) -> Fitted:
    """`elsewhere` says where the rest can be read. Parts without entries are left out. When the parts that may not be
    cut do not fit, the text is empty."""
    asked = [part for part in parts if part.entries]
    kept = {at: frozenset(range(len(part.entries))) for at, part in enumerate(asked)}
    if length(_joined(asked, kept, elsewhere)) <= limit:
        return Fitted(_joined(asked, kept, elsewhere), is_whole=True, fits=True)
    kept |= {at: frozenset() for at, part in enumerate(asked) if part.rank != NEVER}
    cuttable = sorted((at for at in kept if asked[at].rank != NEVER), key=lambda each: asked[each].rank)
    room = limit - length(_joined(asked, kept, elsewhere))
    if room < 0:
        return Fitted("", is_whole=False, fits=False)
    room -= _SLACK * len(cuttable)
    for at in cuttable:
        kept[at], room = _filled(asked[at], room)
    return Fitted(_joined(asked, kept, elsewhere), is_whole=False, fits=True)


def _filled(part: Part, room: int) -> tuple[frozenset[int], int]:
    """The entries that there is room for, first come first served, and the room that is left."""
    taken: set[int] = set()
    for index, entry in enumerate(part.entries):
        needed = length(entry) + len(part.between)
        if needed <= room:
            taken.add(index)
            room -= needed
    return frozenset(taken), room


def _joined(parts: Sequence[Part], kept: dict[int, frozenset[int]], elsewhere: str) -> str:
    return "\n\n".join(_written(part, kept[at], elsewhere) for at, part in enumerate(parts)) + "\n"


def _written(part: Part, kept: frozenset[int], elsewhere: str) -> str:
    shown = part.between.join(entry for index, entry in enumerate(part.entries) if index in kept)
    hidden = len(part.entries) - len(kept)
    more = "more " if kept else ""
    noun = part.noun if hidden != 1 else part.noun.removesuffix("s")
    cut = f"✂ _{hidden:,} {more}{noun} left out here, for a comment holds no more: {elsewhere}_" if hidden else ""
    return "\n\n".join(filter(None, [part.heading, shown, cut]))
