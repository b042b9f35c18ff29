"""Where the file of a pack that was handed in belongs: at the path it has, or below the folder of its business line."""

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from reconciler.core.desired import Desired
from reconciler.core.key import PackId
from reconciler.packs.file_names import WORKBOOK_ENDINGS, ending, folder
from reconciler.packs.new_repository import folder_name

#: The first bytes of a ZIP archive, which a workbook is.
_ZIP: Final = b"PK\x03\x04"
#: Of a folder or file; Windows and archives do not take much longer paths.
_LONGEST: Final = 60


@dataclass(frozen=True, slots=True)
class Place:
    path: str
    #: The file it has now, when it gets another one; empty otherwise.
    former_path: str = ""


def true_ending(content: bytes) -> str:
    """By what it is, whatever it is called."""
    return ".xlsx" if content.startswith(_ZIP) else ".yaml"


def place_of(pack: PackId, desired: Desired, taken: Collection[str], top: str, kind: str) -> Place:
    """`taken`: every path of the packs folder `top`. `kind`: an ending."""
    declared = desired.packs.get(pack)
    now = desired.broken.get(pack, "") if declared is None else declared.path
    if now and _same_kind(ending(now), kind):
        return Place(now)
    wanted = f"{_folder_of(pack, desired, top)}/{_plain(pack.project_name)}{kind}".lstrip("/")
    return Place(_free(wanted, pack, {path.casefold() for path in taken}), now)


def _same_kind(one: str, other: str) -> bool:
    return (one in WORKBOOK_ENDINGS) == (other in WORKBOOK_ENDINGS)


def _folder_of(pack: PackId, desired: Desired, top: str) -> str:
    """Where the packs of its business line are, if they are in one place."""
    places = {
        folder(each.path) for each in desired.packs.values() if each.id.business_line_key == pack.business_line_key
    }
    if len(places) == 1:
        return places.pop()
    return f"{top}/{_plain(pack.business_line)}".strip("/")


def _plain(text: str) -> str:
    """A name that every file system takes."""
    plain = folder_name(text)[:_LONGEST].strip("-.")
    return plain if plain.isascii() and plain else f"{plain[:20]}{_short(text)}" if plain else _short(text)


def _free(wanted: str, pack: PackId, taken: Collection[str]) -> str:
    """Beside files of other packs that have the same name."""
    if wanted.casefold() not in taken:
        return wanted
    kind = ending(wanted)
    return f"{wanted.removesuffix(kind)}-{_short(f'{pack.business_line_key}/{pack.project_key}')}{kind}"


def _short(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:8]
