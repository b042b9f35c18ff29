"""Git repositories that many tests begin with: made by git once in a test process, then written down again. That costs
a tenth of the processes that make one."""

import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_KEPT: Final[dict[object, "Kept"]] = {}


@dataclass(frozen=True, slots=True)
class Kept:
    """What is below some names in a folder."""

    uri: str
    folders: Sequence[str]
    #: With their permissions: Git refuses to write to its objects.
    files: Sequence[tuple[str, int, bytes]]

    @classmethod
    def of(cls, top: Path, names: Sequence[str]) -> Self:
        below = [each for name in names for each in (top / name, *sorted((top / name).rglob("*")))]
        # A repository comes with a dozen hooks that do nothing.
        found = [each for each in below if each.suffix != ".sample"]
        return cls(
            top.as_uri(),
            [str(each.relative_to(top)) for each in found if each.is_dir()],
            [
                (str(each.relative_to(top)), stat.S_IMODE(each.stat().st_mode), each.read_bytes())
                for each in found
                if each.is_file()
            ],
        )

    def write(self, top: Path) -> None:
        for name in self.folders:
            (top / name).mkdir(exist_ok=True)
        for name, mode, content in self.files:
            place = top / name
            # A remote beside it is named by its whole path.
            place.write_bytes(
                content.replace(self.uri.encode(), top.as_uri().encode()) if place.name == "config" else content
            )
            place.chmod(mode)


def begin(top: Path, names: Sequence[str], kind: object, make: Callable[[], object]) -> None:
    """Have below `top` what `make` makes of these names there; `kind` is all that it depends on."""
    if kind in _KEPT:
        _KEPT[kind].write(top)
    else:
        make()
        _KEPT[kind] = Kept.of(top, names)
