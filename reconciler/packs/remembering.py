"""Parses each content once: the packs of a repository are read again and again, and few of them have changed."""

from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256

from reconciler.packs.parsing import ParsedFile, parse_file


@dataclass(slots=True)
class RememberedFiles:
    """A `parse_file` that remembers, the longest unused forgotten first. For one thread."""

    most: int = 20_000
    _known: OrderedDict[tuple[str, bytes], ParsedFile] = field(default_factory=OrderedDict)

    def __call__(self, path: str, data: bytes) -> ParsedFile:
        name = (path, sha256(data).digest())
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = parse_file(path, data)
            if len(self._known) > self.most:
                self._known.popitem(last=False)
        self._known.move_to_end(name)
        return found
