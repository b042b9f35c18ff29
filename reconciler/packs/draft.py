"""A pack that is being written, held against the packs beside it by the rules that hold for all: what is wrong with one
answer, and what is wrong with the whole."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from reconciler.core.desired import Desired, Revision
from reconciler.core.problem import Problem
from reconciler.packs.document import PackDocument
from reconciler.packs.parsing import ParsedFile, parse_file
from reconciler.packs.reading import paths_of, read_packs
from reconciler.packs.tree import Loc
from reconciler.packs.writing import dumped


class Surroundings:
    """The files of a packs folder, without the draft. Each is parsed once, however often is asked."""

    def __init__(self, files: Mapping[str, bytes], folder: str) -> None:
        self._files = files
        self._folder = folder
        self._parse = cache(parse_file)
        self.desired = self._read({})

    def problems(self, path: str, draft: Mapping[str, Any]) -> Sequence[Problem]:
        """All that the draft would have at `path`."""
        data = draft_text(draft).encode()
        return [each for each in self._read({path: data}).problems if path in paths_of(each)]

    def problems_at(self, path: str, draft: Mapping[str, Any], loc: Loc) -> Sequence[Problem]:
        """What is wrong with the value at `loc`, whatever is missing around it."""
        at = parse_file(path, draft_text(draft).encode()).places.value(loc)
        return [each for each in self.problems(path, draft) if each.is_error and at in {each.where, each.also}]

    def _read(self, more: Mapping[str, bytes]) -> Desired:
        files = {**self._files, **more}
        return read_packs(files, Revision(), "", packs_folder=self._folder, parse=self._parsed)

    def _parsed(self, path: str, data: bytes) -> ParsedFile:
        return self._parse(path, data)


def draft_text(draft: Mapping[str, Any]) -> str:
    """As YAML, with what it has so far."""
    return "\n".join(dumped({section: content}) for section, content in draft.items() if content)


def draft_document(path: str, draft: Mapping[str, Any]) -> PackDocument | None:
    return parse_file(path, draft_text(draft).encode()).document
