"""Writes a file that a person named on the command line: never over another one unless told to, never half."""

import os
import shutil
from pathlib import Path

from reconciler.cli.packs_folder import repository_top
from reconciler.cli.terminal import Failure
from reconciler.packs.file_names import WORKBOOK_ENDINGS, YAML_ENDINGS, ending, is_pack

_SCHEMA = "schema/sharepack.schema.json"


def is_workbook(path: Path) -> bool:
    """Raises Failure for a name that no pack has."""
    kind = ending(path.name)
    if kind not in YAML_ENDINGS | WORKBOOK_ENDINGS or not is_pack(path.name):
        raise Failure(f"{path} is not the name of a pack: packs are .yaml, .yml or .xlsx files")
    return kind in WORKBOOK_ENDINGS


def schema_beside(path: Path) -> str:
    """How a YAML pack at this path names the JSON Schema of its repository; "" when that has none."""
    folder = path.absolute().parent
    top = repository_top(folder)
    return Path(os.path.relpath(top / _SCHEMA, folder)).as_posix() if top and (top / _SCHEMA).is_file() else ""


def refuse_existing(path: Path, *, force: bool) -> None:
    """Before the work is done; `write_file` looks again."""
    if path.is_dir():
        raise Failure(f"{path} is a folder; name a file")
    if not force and os.path.lexists(path):
        raise Failure(f"{path} is there already; --force replaces it")


def write_file(path: Path, data: bytes, *, force: bool) -> None:
    """What is replaced keeps its permissions; behind a link, the file is replaced and not the link."""
    place = path.resolve() if force else path
    unfinished = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        with unfinished.open("xb") as stream:
            stream.write(data)
        refuse_existing(path, force=force)
        if place.exists():
            shutil.copymode(place, unfinished)
        unfinished.replace(place)
    except OSError as error:
        raise Failure(f"{path} cannot be written: {error.strerror}") from error
    finally:
        unfinished.unlink(missing_ok=True)
