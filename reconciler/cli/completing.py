"""What may stand at a place of the command line, for the shell: paths of packs, and names and keys from the YAML packs.

Cheap on purpose: no settings but the folder, no checks, no workbooks, and an end after many files."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import copy
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click
from click.shell_completion import CompletionItem
from click.types import StringParamType

from reconciler.packs.file_names import YAML_ENDINGS, ending, is_pack
from reconciler.packs.yaml_file import read_yaml

_MAX_FILES: Final = 500
_MAX_BYTES: Final = 1_000_000


class Offered(StringParamType):
    """A text, with proposals for it."""

    def __init__(self, offer: Callable[[Path], Iterable[str]]) -> None:
        self._offer = offer

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        given = ctx.find_root().params.get("packs_dir") or os.environ.get("packs_dir")  # noqa: SIM112 - as in settings
        found = sorted({each for each in self._offer(Path(given or "sharepacks")) if each.startswith(incomplete)})
        return [CompletionItem(each) for each in found] or self._otherwise(ctx, param, incomplete)

    def _otherwise(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return click.Path().shell_complete(ctx, param, incomplete) if self._offer is pack_paths else []


def offering(command: click.Command) -> click.Command:
    """A copy of the command whose parameters have their proposals, by what they are called."""
    made = copy(command)
    made.params = [_offering(param) for param in command.params]
    return made


def _offering(param: click.Parameter) -> click.Parameter:
    if param.name not in _OFFERS:
        return param
    made = copy(param)
    made.type = Offered(_OFFERS[param.name])
    return made


def pack_paths(folder: Path) -> Iterator[str]:
    return (path.as_posix() for path in _packs(folder))


def keys(folder: Path) -> Iterator[str]:
    return (f"{kind}/{name}" for kind, name in _declared(folder))


def recipients(folder: Path) -> Iterator[str]:
    return (name for kind, name in _declared(folder) if kind == "recipient")


def shares(folder: Path) -> Iterator[str]:
    return (name for kind, name in _declared(folder) if kind == "share")


#: By the names of parameters, which are the same wherever they mean the same.
_OFFERS: Final[Mapping[str, Callable[[Path], Iterable[str]]]] = {
    "paths": pack_paths,
    "pack": pack_paths,
    "source": pack_paths,
    "key": keys,
    "recipient": recipients,
    "recipients": recipients,
    "shares": shares,
}


def _packs(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(names) if is_pack(name))


def _declared(folder: Path) -> Iterator[tuple[str, str]]:
    """Kind and name."""
    readable = (path for path in _packs(folder) if ending(path.name) in YAML_ENDINGS)
    for path in islice(readable, _MAX_FILES):
        data: Any = _content(path)
        for kind in ("recipient", "share"):
            entries = data.get(kind) if isinstance(data, dict) else None
            for entry in entries if isinstance(entries, list) else []:
                name = entry.get("name") if isinstance(entry, dict) else None
                if isinstance(name, str):
                    yield kind, name


def _content(path: Path) -> object:
    try:
        if path.stat().st_size > _MAX_BYTES:
            return None
        return read_yaml(path.read_text(encoding="utf-8-sig")).data
    except (OSError, ValueError):
        return None
