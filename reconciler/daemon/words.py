"""Why a daemon leaves a pack alone, in words for the log."""

from collections.abc import Mapping
from typing import Final

from reconciler.core.key import PackId
from reconciler.core.plan import Plan
from reconciler.core.policy import Leave, Why

_WORDS: Final[Mapping[Why, str]] = {
    Why.UNDER_WAY: "Its work is under way",
    Why.REFUSED: "Left alone: it was refused, and neither the pack nor the workspace has changed since",
    Why.NEEDS_ATTENTION: (
        "Left alone for an hour: it failed several times in a way nobody understands; `sharepack status` says how"
    ),
    Why.REWOUND: (
        "Left alone: it was submitted from a commit that the one followed does not descend from. Either the branch was "
        "rewound, and then a person has to apply it; or another clone is ahead of this one"
    ),
    Why.HELD: "Held",
    Why.JUST_APPLIED: (
        "Applied a moment ago, and the workspace is still not as planned; looked at again when its time comes"
    ),
    Why.BLOCKED: "Left alone: it needs a pack that is left alone itself",
}


def left_words(pack: PackId, leave: Leave, plan: Plan) -> str:
    if leave.why is not Why.HELD:
        return _WORDS[leave.why]
    steps = next(each.steps for each in plan.packs if each.pack == pack)
    held = [f"{step.key}: {each.message}" for step in steps for each in step.objections]
    return "; ".join([_WORDS[Why.HELD], *held])
