"""The Git side: a bare repository, its forks, trial merges and the three ways to merge."""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

COMMITTER = ("GitHub", "noreply@github.com")


class ConflictError(Exception):
    """The branch cannot be merged."""


@dataclass(frozen=True)
class BareRepository:
    root: Path

    @classmethod
    def create(cls, root: Path) -> "BareRepository":
        """With an empty first commit on `main`."""
        root.mkdir(parents=True)
        made = cls(root)
        made.git("init", "--quiet", "--bare", "--initial-branch=main")
        # Fetching `refs/pull/…` by name and single commits, as GitHub allows.
        made.git("config", "uploadpack.allowAnySHA1InWant", "true")
        made.git("config", "uploadpack.allowFilter", "true")
        tree = made.git("mktree", stdin="")
        made.set_ref("refs/heads/main", made.commit(tree, [], "Begin", "GitHub"))
        return made

    def fork(self, root: Path) -> "BareRepository":
        root.parent.mkdir(parents=True, exist_ok=True)
        self.git("clone", "--quiet", "--bare", str(self.root), str(root))
        return BareRepository(root)

    def git(
        self,
        *arguments: str,
        stdin: str | None = None,
        author: str = "GitHub",
        at: Path | None = None,
        more: Mapping[str, str] | None = None,
    ) -> str:
        """Raises CalledProcessError. Nothing of the configuration of whoever runs the tests matters."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        names = {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_AUTHOR_NAME": author,
            "GIT_AUTHOR_EMAIL": f"{author.replace(' ', '.').lower()}@users.noreply.github.com",
            "GIT_COMMITTER_NAME": COMMITTER[0],
            "GIT_COMMITTER_EMAIL": COMMITTER[1],
        }
        done = subprocess.run(
            ["git", *arguments], cwd=at or self.root, env={**kept, **names, **(more or {})}, input=stdin, check=True,
            capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout.strip()

    def resolve(self, name: str) -> str | None:
        """Of a commit; None when there is none."""
        try:
            return self.git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        except subprocess.CalledProcessError:
            return None

    def branches(self) -> dict[str, str]:
        lines = self.git("for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads/").splitlines()
        return {name: commit for commit, name in (line.split(" ", 1) for line in lines)}

    def set_ref(self, name: str, commit: str | None) -> None:
        if commit is None:
            self.git("update-ref", "-d", name)
        else:
            self.git("update-ref", name, commit)

    def commit(self, tree: str, parents: list[str], message: str, author: str) -> str:
        options = [each for parent in parents for each in ("-p", parent)]
        return self.git("commit-tree", tree, *options, "-m", message, author=author)

    def commit_files(self, parent: str | None, files: Mapping[str, str | bytes | None], message: str) -> str:
        """None as content takes a file away."""
        with tempfile.TemporaryDirectory() as place:
            index = {"GIT_INDEX_FILE": str(Path(place) / "index")}
            if parent is not None:
                self.git("read-tree", parent, more=index)
            names = []
            for number, content in enumerate(each for each in files.values() if each is not None):
                names.append(str(Path(place) / str(number)))
                Path(names[-1]).write_bytes(content if isinstance(content, bytes) else content.encode())
            blobs = iter(self.git("hash-object", "-w", "--stdin-paths", stdin="\n".join(names)).split())
            # Mode 0 takes a file away; `--force-remove` would ask for a working tree.
            lines = [
                f"0 {'0' * 40}\t{path}" if content is None else f"100644 {next(blobs)}\t{path}"
                for path, content in files.items()
            ]
            self.git("update-index", "--add", "--index-info", stdin="\n".join(lines) + "\n", more=index)
            tree = self.git("write-tree", more=index)
        return self.commit(tree, [parent] if parent else [], message, "Ada Lovelace")

    def between(self, old: str, new: str) -> list[str]:
        """Newest first."""
        return self.git("rev-list", f"{old}..{new}").splitlines()

    def merged_tree(self, base: str, head: str) -> str:
        try:
            return self.git("merge-tree", "--write-tree", base, head).splitlines()[0]
        except subprocess.CalledProcessError as error:
            raise ConflictError(error.stdout) from None

    def rebased(self, base: str, head: str) -> str:
        """The commits of `head` once more on top of `base`; always new ones, as GitHub does it."""
        with tempfile.TemporaryDirectory() as place:
            tree = Path(place) / "tree"
            self.git("worktree", "add", "--quiet", "--detach", str(tree), base)
            try:
                self.git("cherry-pick", "--allow-empty", f"{base}..{head}", at=tree)
                return self.git("rev-parse", "HEAD", at=tree)
            except subprocess.CalledProcessError as error:
                raise ConflictError(error.stderr) from None
            finally:
                self.git("worktree", "remove", "--force", str(tree))

    def fetch_from(self, other: "BareRepository", branch: str, ref: str) -> None:
        self.git("fetch", "--quiet", "--no-tags", str(other.root), f"+refs/heads/{branch}:{ref}")
