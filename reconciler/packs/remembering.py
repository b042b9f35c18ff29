"""Parses each content once: the packs of a repository are read again and again, and few of them have changed."""

from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256

from reconciler.packs.file_names import ending
from reconciler.packs.parsing import ParsedFile, parse_file


@dataclass(slots=True)
class RememberedFiles:
    """A `parse_file` that remembers, the longest unused forgotten first. For one thread at a time."""

    most: int = 20_000
    #: Of all files together; what is remembered of one is several times as large.
    most_bytes: int = 100_000_000
    _known: OrderedDict[tuple[str, bytes], tuple[ParsedFile, int]] = field(default_factory=OrderedDict)
    _bytes: int = 0

    def __call__(self, path: str, data: bytes) -> ParsedFile:
        # Beside its content, only the kind of a file decides how it is read.
        name = (ending(path), sha256(data).digest())
        if name in self._known:
            self._known.move_to_end(name)
            found = self._known[name][0]
            return found if found.path == path else found.moved_to(path)
        parsed = parse_file(path, data)
        self._known[name] = (parsed, len(data))
        self._bytes += len(data)
        while len(self._known) > self.most or self._bytes > self.most_bytes:
            self._bytes -= self._known.popitem(last=False)[1][1]
        return parsed
