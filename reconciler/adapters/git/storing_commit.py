"""Makes a commit with some files changed, by plumbing: a temporary index of its own and loose objects that nothing
leads to until a branch does. It touches no working tree, no index of anybody's and no branch, and runs no hook and no
filter."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.adapters.git import repository as repo
from reconciler.adapters.git.command import GitAnswer, environment, failure, not_started
from reconciler.adapters.git.repository import Repository
from reconciler.adapters.git.storing_failures import cannot_write
from reconciler.adapters.git.storing_paths import Entry, check_place
from reconciler.ports.pack_source import PackSourceError
from reconciler.ports.pack_store import PackStoreError, Put

_TIMEOUT: Final = 60.0

#: Nothing that a configuration names is started, the index is one file, and names that are `.git` on some other file
#: system are refused. A commit is on the disk before a branch leads to it.
_OPTIONS: Final = (
    "-c", f"core.hooksPath={os.devnull}",
    "-c", "core.fsmonitor=false",
    "-c", "core.untrackedCache=false",
    "-c", "core.splitIndex=false",
    "-c", "core.sparseCheckout=false",
    "-c", "index.sparse=false",
    "-c", "core.protectHFS=true",
    "-c", "core.protectNTFS=true",
    "-c", "core.fsync=committed,loose-object,reference",
    "-c", "core.filesRefLockTimeout=2000",
    "-c", "core.packedRefsTimeout=2000",
    "-c", "i18n.commitEncoding=UTF-8",
)  # fmt: skip

#: What Git takes away from both ends of a name or address; one of nothing else it refuses.
_CRUD: Final = " .,:;<>\"\\'"
_LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class Person:
    """As commits name people."""

    name: str
    mail: str


def person(text: str) -> Person:
    """Of `Name <mail>`, whatever stands there: no line of the commit can be made with it."""
    name, bracket, rest = text.rpartition("<")
    mail = rest.partition(">")[0] if bracket else ""
    if not bracket:
        name, mail = ("", text) if "@" in text and " " not in text.strip() else (text, "")
    name, mail = _harmless(name), _harmless(mail).replace(" ", "")
    return Person(name or mail.partition("@")[0].strip(_CRUD) or "unknown", mail or "unknown@localhost")


@contextmanager
def line(repository: Repository, base: str | None, committer: Person) -> Iterator["Line"]:
    """Commits to be made on top of `base` (None: the first of all) that nothing leads to yet. The index lies outside
    the repository: what a killed process leaves there is in nobody's way."""
    with tempfile.TemporaryDirectory(prefix="sharepack-") as place:
        yield Line(repository, base, committer, Path(place))


class Line:
    """One commit on top of the other. Use `line`."""

    def __init__(self, repository: Repository, base: str | None, committer: Person, place: Path) -> None:
        self.tip = base
        self._repository = repository
        self._committer = committer
        self._place = place
        self._index = {"GIT_INDEX_FILE": str(place / "index")}
        self._is_read = False
        self._there = _entries(repository, base)
        self._width = len(base or "0" * _width(repository))
        self._written = {entry.oid for entry in self._there.values()}

    def prepare(self, puts: Iterable[Put]) -> None:
        """Writes their contents, all with one run of git; `add` would write what is missing by itself."""
        contents = {self._id(content): content for put in puts for content in put.files.values() if content is not None}
        missing = {oid: content for oid, content in contents.items() if oid not in self._written}
        if not missing:
            return
        for oid, content in missing.items():
            (self._place / oid).write_bytes(content)
        names = "".join(f"{self._place / oid}\n" for oid in missing).encode()
        run(self._repository, "hash-object", "-w", "--no-filters", "--stdin-paths", stdin=names)
        self._written |= missing.keys()

    def add(self, put: Put) -> str | None:
        """The id of a new commit; None when the tip has these very files. Raises PackStoreError and PackSourceError,
        and is then as before."""
        changed = {path: content for path, content in put.files.items() if self._differs(path, content)}
        if not changed:
            return None
        check_place(changed, self._there)
        self.prepare((put,))
        entries = {path: self._entry(path, content) for path, content in changed.items()}
        tree = self._tree(entries)
        self.tip = self._commit(tree, put)
        kept = {path: entry for path, entry in self._there.items() if path not in entries}
        self._there = kept | {path: entry for path, entry in entries.items() if entry is not None}
        self._is_read = True
        return self.tip

    def _differs(self, path: str, content: bytes | None) -> bool:
        entry = self._there.get(path)
        if entry is None or content is None:
            return (entry is None) != (content is None)
        return entry.oid != self._id(content) or not entry.mode.startswith("100")

    def _entry(self, path: str, content: bytes | None) -> Entry | None:
        if content is None:
            return None
        return Entry(self._there[path].mode if path in self._there else "100644", self._id(content))

    def _id(self, content: bytes) -> str:
        return repo.blob_id(content, "0" * self._width)

    def _tree(self, entries: Mapping[str, Entry | None]) -> str:
        if not self._is_read and self.tip is not None:
            run(self._repository, "read-tree", self.tip, more=self._index)
        # Until the commit is made, it holds what may not become one.
        self._is_read = False
        # What goes makes room first.
        changes = "".join(
            f"0 {'0' * self._width}\t{path}\0" if entry is None else f"{entry.mode} {entry.oid}\t{path}\0"
            for path, entry in sorted(entries.items(), key=lambda item: item[1] is not None)
        )
        arguments = ("update-index", "--add", "-z", "--index-info")
        said = run(self._repository, *arguments, stdin=changes.encode(), more=self._index).said
        # A name that is `.git` somewhere is left out with a word only.
        if "Ignoring path" in said:
            raise PackStoreError(f"Git refuses a file name: {said.strip()}.", "Choose another file name.")
        # What a partial clone lacks need not be there.
        return run(self._repository, "write-tree", "--missing-ok", more=self._index).text

    def _commit(self, tree: str, put: Put) -> str:
        author = person(put.author)
        people = {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.mail,
            "GIT_COMMITTER_NAME": self._committer.name,
            "GIT_COMMITTER_EMAIL": self._committer.mail,
        }
        parents = ("-p", self.tip) if self.tip is not None else ()
        message = put.message.replace("\0", "").encode("utf-8", "replace")
        arguments = ("commit-tree", "--no-gpg-sign", *parents, "-F", "-", tree)
        return run(self._repository, *arguments, stdin=message, more=people).text


def run(
    repository: Repository, *arguments: str, stdin: bytes = b"", more: Mapping[str, str] | None = None
) -> GitAnswer:
    """Git, for writing into this clone alone. Raises PackSourceError or PackStoreError unless it ends with 0."""
    answer = attempt(repository, *arguments, stdin=stdin, more=more)
    if answer.code != 0:
        raise cannot_write(repository.root, answer.said) or failure(repository.root, arguments[0], answer.said)
    return answer


def attempt(
    repository: Repository, *arguments: str, stdin: bytes = b"", more: Mapping[str, str] | None = None
) -> GitAnswer:
    """The same, however it ends."""
    try:
        done = subprocess.run(
            ["git", "-C", str(repository.root), *_OPTIONS, *arguments],
            input=stdin,
            capture_output=True,
            check=False,
            env={**environment(os.environ), **(more or {})},
            timeout=_TIMEOUT,
        )
    except OSError as error:
        raise not_started(repository.root, error) from None
    except subprocess.TimeoutExpired:
        raise PackSourceError(f"git {arguments[0]} in {repository.root} did not end within {_TIMEOUT:.0f} s.") from None
    return GitAnswer(done.returncode, done.stdout, done.stderr.decode("utf-8", "backslashreplace"))


def _entries(repository: Repository, base: str | None) -> dict[str, Entry]:
    """Every file, link and submodule in the packs folder at a commit."""
    if base is None:
        return {}
    found = {}
    listed = run(repository, "ls-tree", "-r", "-z", "--full-tree", base, *repository.pathspec).out
    for line in listed.split(b"\0")[:-1]:
        facts, _, path = line.partition(b"\t")
        mode, _, oid = facts.decode().split()
        found[os.fsdecode(path)] = Entry(mode, oid)
    return found


def _width(repository: Repository) -> int:
    """Hexadecimal digits of an id."""
    return 64 if run(repository, "rev-parse", "--show-object-format").text == "sha256" else 40


def _harmless(text: str) -> str:
    plain = re.sub(r"[\x00-\x20\x7f-\x9f\u2028\u2029<>]+", " ", text.encode("utf-8", "replace").decode())
    return plain.strip(_CRUD)[:_LONGEST_NAME].strip(_CRUD)
