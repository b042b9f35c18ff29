"""Where the file of a pack that was handed in belongs: at the path it has, or below the folder of its business line."""

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from reconciler.core.desired import Desired
from reconciler.core.key import PackId
from reconciler.packs.file_names import FOREIGN_ENDINGS, WORKBOOK_ENDINGS, ending, folder, is_pack
from reconciler.packs.new_repository import folder_name

#: The first bytes of a ZIP archive, which a workbook is.
_ZIP: Final = b"PK\x03\x04"
#: Of a folder or file; Windows and archives do not take much longer paths.
_LONGEST: Final = 60
#: Of a file, as its sender calls it, in problems.
_LONGEST_SHOWN: Final = 100
_LONGEST_KIND: Final = 10


@dataclass(frozen=True, slots=True)
class Place:
    path: str
    #: The file it has now, when it gets another one; empty otherwise.
    former_path: str = ""


def true_ending(name: str, content: bytes) -> str:
    """By what it is, whatever it is called; what is neither text nor a workbook is what it is called."""
    if content.startswith(_ZIP):
        return ".xlsx"
    called = ending(name)
    return called if called in WORKBOOK_ENDINGS | FOREIGN_ENDINGS and not _is_text(content) else ".yaml"


def is_neither(name: str, content: bytes) -> bool:
    """Text or a workbook; formats that people take for them have words of their own (`parsing`)."""
    is_told = content.startswith((_ZIP, b"\xff\xfe", b"\xfe\xff")) or ending(name) in FOREIGN_ENDINGS
    return not is_told and b"\0" in content


def _is_text(content: bytes) -> bool:
    try:
        return content.strip() != b"" and "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


def plain_name(name: str) -> str:
    """What a file is called, of what may be a path on somebody's machine, with nothing in it but what can be seen."""
    last = name.replace("\\", "/").rpartition("/")[2]
    seen = "".join(char for char in last if char.isprintable()).strip()
    if len(seen) > _LONGEST_SHOWN:
        kind = ending(seen)[:_LONGEST_KIND]
        seen = f"{seen[: _LONGEST_SHOWN - len(kind) - 1]}…{kind}"
    return seen if seen.strip(".") else "pack"


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
    """Beside files of other packs that have the same name, and not as what is read as something else."""
    if wanted.casefold() not in taken and is_pack(wanted):
        return wanted
    kind = ending(wanted)
    return f"{wanted.removesuffix(kind)}-{_short(f'{pack.business_line_key}/{pack.project_key}')}{kind}"


def _short(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:8]
