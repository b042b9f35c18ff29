"""Questions to one Git repository about one folder in it. Answers are facts; others decide what follows from them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.adapters.git.command import REFETCH, MissingObjectError, failure, git, refuse_damage
from reconciler.adapters.git.contents import check_size, check_total, is_overlooked, path_text, refuse_link
from reconciler.adapters.git.contents import refuse_repository as refuse_submodule
from reconciler.ports.pack_source import PackSourceError

_LINK = b"120000"
_SUBMODULE = b"160000"


@dataclass(frozen=True, slots=True)
class Repository:
    #: Where git is run: the root of the working tree, or the bare repository.
    root: Path
    is_bare: bool
    #: The packs folder relative to the root, forward slashes; empty when it is the root.
    prefix: str
    #: What belongs to this working tree alone, HEAD among it.
    git_dir: Path
    #: What all working trees of the repository share: branches, objects.
    common_dir: Path

    @property
    def lfs_objects(self) -> Path:
        """Where Git LFS keeps content."""
        return self.common_dir / "lfs/objects"

    @property
    def pathspec(self) -> tuple[str, ...]:
        return ("--", self.prefix) if self.prefix else ()


@dataclass(frozen=True, slots=True)
class CommitFacts:
    id: str
    branch: str
    author: str


def locate(folder: Path) -> Repository:
    """The repository that `folder` is in, or would be in: the folder itself need not be checked out."""
    start = folder
    while not start.is_dir():
        start = start.parent
    asked = ("--is-bare-repository", "--git-common-dir", "--absolute-git-dir", "--show-toplevel")
    answer = git(start, "rev-parse", *asked, may_fail=(128,))
    # A bare repository has no top, and says so after it has answered the rest.
    is_bare, common, shown, *top = [*answer.text.split("\n"), "", "", ""] if answer.code else answer.text.split("\n")
    if answer.code and is_bare != "true":
        raise failure(start, "rev-parse", answer.said)
    root = Path(shown if is_bare == "true" else "\n".join(top)).resolve()
    if not folder.is_relative_to(root):
        raise PackSourceError(f"{folder} is not inside the Git repository {root}.")
    prefix = folder.relative_to(root).as_posix()
    git_dir, common_dir = Path(shown).resolve(), (start / common).resolve()
    return Repository(root, is_bare == "true", "" if prefix == "." else prefix, git_dir, common_dir)


def commit_facts(repository: Repository, revision: str) -> CommitFacts:
    commit = commit_id(repository, revision)
    if commit is None:
        raise no_commit(repository, revision)
    return CommitFacts(commit, branch_name(repository, revision), author(repository, commit))


def author(repository: Repository, commit: str) -> str:
    return git(repository.root, "show", "--no-show-signature", "-s", "--format=%an <%ae>", commit).text


def branch_name(repository: Repository, revision: str) -> str:
    """The branch that `revision` names, or "": a commit id, a tag and a detached HEAD name none."""
    full_name = git(repository.root, "rev-parse", "--symbolic-full-name", revision, may_fail=(128,)).text
    branch = full_name.removeprefix("refs/heads/").removeprefix("refs/remotes/")
    return "" if branch == "HEAD" or branch.startswith("refs/") else branch


def commit_id(repository: Repository, revision: str) -> str | None:
    """The full id; None when there is no such commit here. Raises PackSourceError when it is there and damaged."""
    if not revision or revision.startswith("-"):
        return None
    answer = git(repository.root, "rev-parse", "--verify", "--quiet", revision + "^{commit}", may_fail=(1, 128))
    refuse_damage(repository.root, "rev-parse", answer)
    return answer.text if answer.code == 0 else None


def entries(repository: Repository, commit: str) -> Mapping[bytes, str]:
    """Path to blob id of every file of the folder at a commit. Links and submodules are refused."""
    return {path: oid for path, (oid, _) in _listing(repository, commit).items()}


def readable_entries(repository: Repository, commit: str) -> Mapping[bytes, str]:
    """The same, of files that are all here and not too large to be read."""
    total = 0
    try:
        found = _listing(repository, commit, "-l")
    except MissingObjectError as missing:
        path = next((path for path, oid in entries(repository, commit).items() if oid == missing.oid), None)
        if path is None:
            raise
        raise _missing_content(repository, path, missing.oid) from None
    for path, (oid, size) in found.items():
        if not size.isdigit():
            raise _missing_content(repository, path, oid)
        check_size(path_text(path), int(size))
        total += int(size)
    check_total(repository.prefix or str(repository.root), total)
    return {path: oid for path, (oid, _) in found.items()}


def _listing(repository: Repository, commit: str, *options: str) -> Mapping[bytes, tuple[str, bytes]]:
    """Path to blob id and, with the option `-l`, size."""
    arguments = ("-r", "-z", "--full-tree", *options, commit, *repository.pathspec)
    found = {}
    for line in git(repository.root, "ls-tree", *arguments).out.split(b"\0")[:-1]:
        facts, _, path = line.partition(b"\t")
        mode, _, oid, *size = facts.split()
        if mode == _SUBMODULE:
            raise refuse_submodule(path_text(path))
        if mode == _LINK:
            if is_overlooked(path_text(path.rpartition(b"/")[2])):
                continue
            raise refuse_link(path_text(path))
        found[path] = (oid.decode(), size[0] if size else b"")
    return found


def blobs(repository: Repository, wanted: Mapping[bytes, str]) -> Mapping[bytes, bytes]:
    """The content of each path, in one process."""
    ids = list(wanted.values())
    out = git(repository.root, "cat-file", "--batch", stdin="".join(f"{oid}\n" for oid in ids).encode()).out
    contents = {}
    at = 0
    for path, oid in wanted.items():
        end = out.index(b"\n", at)
        header = out[at:end].split()
        if len(header) != 3:
            raise _missing_content(repository, path, oid)
        size = int(header[2])
        contents[path] = out[end + 1 : end + 1 + size]
        at = end + 1 + size + 1
    return contents


def listed_files(repository: Repository) -> list[bytes]:
    """Paths of the folder in the working tree: tracked ones (deleted ones too) and new ones that are not ignored."""
    answer = git(repository.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", *repository.pathspec)
    return sorted(set(answer.out.split(b"\0")) - {b""})


def sparse_files(repository: Repository) -> frozenset[bytes]:
    """Tracked paths of the folder that the index says to leave out of the working tree."""
    lines = git(repository.root, "ls-files", "-z", "-t", "--cached", *repository.pathspec).out.split(b"\0")
    return frozenset(line[2:] for line in lines if line.startswith(b"S "))


def has_ignored_files(repository: Repository) -> bool:
    options = ("--others", "--ignored", "--exclude-standard", "--directory")
    return bool(git(repository.root, "ls-files", "-z", *options, *repository.pathspec).out)


def has_changes(repository: Repository) -> bool:
    """Staged, unstaged, new or deleted, in Git's own eyes."""
    return bool(git(repository.root, "status", "--porcelain", "-z", "--untracked-files=all", *repository.pathspec).out)


def is_same_content(repository: Repository, at_commit: Mapping[bytes, str], on_disk: Mapping[bytes, bytes]) -> bool:
    """Whether the bytes are those of the commit. `git status` alone is not enough: it believes the index, which a
    sparse checkout or `--assume-unchanged` tells to look away."""
    if at_commit.keys() != on_disk.keys():
        return False
    doubtful = [path for path, content in on_disk.items() if blob_id(content, at_commit[path]) != at_commit[path]]
    if not doubtful:
        return True
    if any(b"\n" in path for path in doubtful):
        return False
    # Line endings, encodings and Git LFS make the file differ from its blob; only git knows by how much it may.
    cleaned = git(repository.root, "hash-object", "--stdin-paths", stdin=b"".join(path + b"\n" for path in doubtful))
    return cleaned.text.split() == [at_commit[path] for path in doubtful]


def blob_id(content: bytes, like: str) -> str:
    """The id Git gives these bytes, in the hash of the id `like`."""
    algorithm = hashlib.sha256 if len(like) == 64 else hashlib.sha1
    return algorithm(b"blob %d\0" % len(content) + content).hexdigest()


def is_shallow(repository: Repository) -> bool:
    return git(repository.root, "rev-parse", "--is-shallow-repository").text == "true"


def no_commit(repository: Repository, revision: str) -> PackSourceError:
    if revision != "HEAD":
        return PackSourceError(
            f"There is no commit {revision!r} in the Git repository {repository.root}.",
            "Check the name, or fetch it (`git fetch`; in a shallow clone `git fetch --unshallow`).",
        )
    if git(repository.root, "symbolic-ref", "--quiet", "HEAD", may_fail=(1, 128)).code != 0 or is_named(repository):
        return PackSourceError(
            f"HEAD of the Git repository {repository.root} leads to no commit: its branch is damaged, or the commit is "
            "missing.",
            "`git fsck` names what is damaged; clone it again.",
        )
    return PackSourceError(
        f"The Git repository {repository.root} has no commit yet.",
        "Commit the packs first; if it should have some, this is an empty checkout: fetch and check out the branch.",
    )


def is_named(repository: Repository) -> bool:
    """Whether HEAD is the id of anything, be it there or not. It is not before the first commit."""
    return git(repository.root, "rev-parse", "--verify", "--quiet", "HEAD", may_fail=(1, 128)).code == 0


def _missing_content(repository: Repository, path: bytes, oid: str) -> PackSourceError:
    partial = r"^(remote\..*\.promisor|extensions\.partialclone)$"
    is_partial = git(repository.root, "config", "--get-regexp", partial, may_fail=(1,)).code == 0
    return PackSourceError(
        f"{path_text(path)}: its content ({oid[:12]}) is missing from this clone, or damaged.",
        REFETCH if is_partial else "`git fsck` names what is damaged; fetch what is missing, or clone it again.",
    )
