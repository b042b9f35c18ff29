"""Which pack on record a person means: by its file, its project, its id, or "business line / project"."""

from collections.abc import Sequence

from reconciler.cli.terminal import Failure
from reconciler.ports.ledger import PackState


def packs_meant(states: Sequence[PackState], wanted: str) -> Sequence[PackState]:
    """Raises Failure when there is none."""
    found = [state for state in states if _is_meant(state, wanted)]
    if not found:
        raise Failure(f"no pack on record is {wanted!r}; `sharepack status` lists them all")
    return found


def pack_meant(states: Sequence[PackState], wanted: str) -> PackState:
    """The one that is meant and not removed. Raises Failure when there is none, or more than one."""
    found = [state for state in packs_meant(states, wanted) if not state.is_deleted]
    match found:
        case [state]:
            return state
        case []:
            raise Failure(f"{wanted!r} was removed from Git and is gone")
        case _:
            names = ", ".join(f'"{state.pack}"' for state in found)
            raise Failure(f"{wanted!r} may be {names}: write one of these")


def _is_meant(state: PackState, wanted: str) -> bool:
    words = " ".join(wanted.split()).casefold()
    names = {str(state.pack).casefold(), state.pack.project_key, str(state.share_pack_id), state.path.casefold()}
    return words in names or state.path.casefold().endswith(f"/{words.removeprefix('./')}")
