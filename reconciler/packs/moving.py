"""A document that is to stand in another folder of its packs folder: the paths in it are relative to its file."""

import posixpath

from reconciler.packs.document import DataObjectEntry, PackDocument, ShareEntry
from reconciler.packs.file_names import folder


def has_paths(document: PackDocument) -> bool:
    entries = (entry for share in document.share for entry in share.data_objects or ())
    return any(not isinstance(entry, str) and entry.content is not None for entry in entries)


def moved(document: PackDocument, source: str, target: str) -> PackDocument:
    """The same document at `target`; both are paths from the packs folder on. In the same folder nothing changes."""
    if folder(source) == folder(target):
        return document
    return document.model_copy(update={"share": tuple(_share(entry, source, target) for entry in document.share)})


def _share(entry: ShareEntry, source: str, target: str) -> ShareEntry:
    if entry.data_objects is None:
        return entry
    objects = tuple(each if isinstance(each, str) else _object(each, source, target) for each in entry.data_objects)
    return entry.model_copy(update={"data_objects": objects})


def _object(entry: DataObjectEntry, source: str, target: str) -> DataObjectEntry:
    text = (entry.content or "").strip()
    path = posixpath.normpath(posixpath.join(folder(source), text))
    # What is no path inside the packs folder is a problem wherever the document stands.
    if not text or text.startswith("/") or "\\" in text or path.split("/")[0] == "..":
        return entry
    # relpath would look at the working directory for paths that are relative.
    return entry.model_copy(update={"content": posixpath.relpath(f"/{path}", f"/{folder(target)}")})
