"""Where the content of a shared notebook lies: a file of the packs folder, named from the folder of its pack."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.core.share import ObjectType
from reconciler.packs.document import DataObjectEntry, PackDocument
from reconciler.packs.file_names import below, folder, is_pack, is_tenants_file
from reconciler.packs.finding import Finding, nearest, shown
from reconciler.packs.objects import known
from reconciler.packs.tree import Loc

#: Databricks' limit for importing a notebook.
MAX_NOTEBOOK_BYTES: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Beside:
    """The files that packs may name, by path in the repository."""

    files: Mapping[str, bytes]
    packs_folder: str = ""

    def path(self, pack_path: str, content: str) -> str | None:
        return notebook_path(pack_path, content, self.packs_folder)

    def read(self, pack_path: str, content: str) -> bytes:
        return self.files.get(self.path(pack_path, content) or "", b"")


def notebook_path(pack_path: str, content: str, packs_folder: str = "") -> str | None:
    """The file that `content` names in the pack at `pack_path`; None when it would lie outside the packs folder."""
    text = content.strip()
    if not text or text.startswith("/") or "\\" in text or "\0" in text:
        return None
    top = _parts(packs_folder)
    parts = list(_parts(folder(pack_path)))
    for part in text.split("/"):
        if part == "..":
            if len(parts) <= len(top):
                return None
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(["", *parts] if pack_path.startswith("/") else parts)


def _parts(path: str) -> Sequence[str]:
    return [part for part in path.split("/") if part not in {"", "."}]


def notebook_entries(pack: PackDocument) -> Iterator[tuple[Loc, DataObjectEntry]]:
    for number, share in enumerate(pack.share):
        for position, item in enumerate(share.data_objects or ()):
            if not isinstance(item, str) and item.content is not None and item.content.strip():
                yield ("share", number, "data_objects", position, "content"), item


def check_notebooks(pack: PackDocument, path: str, beside: Beside) -> Iterator[Finding]:
    for loc, entry in notebook_entries(pack):
        if known(entry).kind is not ObjectType.NOTEBOOK_FILE:
            continue  # nothing else has content, which has been said
        content = entry.content or ""
        found = beside.path(path, content)
        inside = "" if found is None else below(found, beside.packs_folder)
        if found is None:
            message = f"{shown(content)} does not lie in the packs folder"
            yield Finding(loc, "notebook-path-invalid", message, "write a path from the folder of this pack on, with /")
        elif is_pack(inside) or is_tenants_file(inside) or any(part.startswith(".") for part in inside.split("/")):
            message = f"{shown(content)} is a pack, a tenants file or hidden, and is not shared"
            yield Finding(loc, "notebook-path-invalid", message, "name the notebook's file")
        else:
            yield from _file(found, beside.files, loc)


def _file(path: str, files: Mapping[str, bytes], loc: Loc) -> Iterator[Finding]:
    data = files.get(path)
    if data is None:
        others = {each.rpartition("/")[2]: each for each in files if folder(each) == folder(path)}
        similar = nearest(path.rpartition("/")[2], others)
        hint = f'did you mean "{similar}"?' if similar else "add the file to the repository; letter case matters"
        yield Finding(loc, "notebook-not-found", f"there is no file {shown(path)}", hint)
    elif not data:
        yield Finding(loc, "notebook-empty", f"the file {shown(path)} is empty", "export the notebook again")
    elif len(data) > MAX_NOTEBOOK_BYTES:
        message = f"the file {shown(path)} is larger than {MAX_NOTEBOOK_BYTES // 1_000_000} MB"
        yield Finding(loc, "notebook-too-large", message, "clear the outputs of its cells, and export it again")
