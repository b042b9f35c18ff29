"""Which files of the packs folder are packs, by their names alone. Paths have forward slashes."""

from collections.abc import Iterable
from typing import Final

YAML_ENDINGS: Final = frozenset({".yaml", ".yml"})
WORKBOOK_ENDINGS: Final = frozenset({".xlsx"})
#: Files that somebody may take for packs: they are refused, not passed over.
FOREIGN_ENDINGS: Final = frozenset({".xls", ".xlsm", ".xlsb", ".xltx", ".xltm", ".ods"})
TENANTS_NAMES: Final = frozenset({"tenants.yaml", "tenants.yml"})
_TENANTS_END: Final = ("nants.yaml", "nants.yml")
_PACK_ENDINGS: Final = YAML_ENDINGS | WORKBOOK_ENDINGS | FOREIGN_ENDINGS


def is_pack(path: str) -> bool:
    """Hidden files, Excel's lock files (~$…) and tenants files are none."""
    last = name(path)
    is_kind = ending(last) in _PACK_ENDINGS and last[:2] != "~$" and last.lower() not in TENANTS_NAMES
    return is_kind and not _is_hidden(path)


def is_tenants_file(path: str) -> bool:
    return name(path).lower() in TENANTS_NAMES


def tenants_files(paths: Iterable[str]) -> list[str]:
    # Of all files there are, nearly none is one.
    return [path for path in paths if path[-11:].lower().endswith(_TENANTS_END) and is_tenants_file(path)]


def _is_hidden(path: str) -> bool:
    may_be = path[:1] == "." or "/." in path
    return may_be and any(part[:1] == "." and part not in {".", ".."} for part in path.split("/"))


def below(path: str, top: str) -> str:
    """The path from the packs folder on; whether that lies in a hidden folder itself does not matter."""
    return path.removeprefix(f"{top.rstrip('/')}/") if top not in {"", "."} else path


def name(path: str) -> str:
    return path.rpartition("/")[2]


def folder(path: str) -> str:
    return path.rpartition("/")[0]


def ending(path: str) -> str:
    stem, dot, last = name(path).rpartition(".")
    return f".{last.lower()}" if dot and stem else ""


def common_folder(paths: Iterable[str]) -> str:
    """The deepest folder that holds all files; "" for the top of the repository."""
    parents = [folder(path).split("/") for path in paths]
    common: list[str] = []
    for parts in zip(*parents, strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return "/".join(common)
