"""Three-state fields: a field a pack does not mention is UNMANAGED (never compared, never sent), an empty one is
cleared, any other value is kept as the pack says."""

from enum import Enum
from typing import Final, Literal, TypeAlias, TypeVar


class Unmanaged(Enum):
    UNMANAGED = "unmanaged"

    def __repr__(self) -> str:
        return "UNMANAGED"


UNMANAGED: Final = Unmanaged.UNMANAGED

T = TypeVar("T")
Managed: TypeAlias = T | Literal[Unmanaged.UNMANAGED]
