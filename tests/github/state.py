"""The world of the stand-in: what people do on the pages of GitHub, and what that leads to in the repository."""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.github.bare import BareRepository, ConflictError
from tests.github.records import ROLES, AppRecord, Comment, Issue, Label, Pull, Review, Run, Seen, Status, Token, User


@dataclass(frozen=True)
class _Trial:
    """Of merging one commit into another: the commits it would bring, and the merge, if there is one."""

    own: tuple[str, ...]
    commit: str | None


class World:
    """Every public method of the stand-in holds `lock` while it looks or changes."""

    def __init__(self, full_name: str, folder: Path) -> None:
        self.lock = threading.RLock()
        self.full_name = full_name
        self.former_names: set[str] = set()
        self.id = 7_000_001
        self.folder = folder
        self.git = BareRepository.create(folder / "origin.git")
        self.forks: dict[str, BareRepository] = {}
        self.users: dict[str, User] = {}
        self.pulls: dict[int, Pull] = {}
        self.issues: dict[int, Issue] = {}
        self.labels: dict[str, Label] = {}
        self.statuses: dict[str, list[Status]] = {}
        self.runs: dict[int, Run] = {}
        self.tokens: dict[str, Token] = {}
        self.apps: dict[int, AppRecord] = {}
        self.seen: list[Seen] = []
        #: What GitHub would not have understood; a test that ends with any fails.
        self.complaints: list[str] = []
        self._trials: dict[tuple[str, str], _Trial] = {}
        self._last_id = 1_000_000
        self._seen_by_people = 0
        self.user(full_name.partition("/")[0]).role = "admin"

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def now(self) -> datetime:
        """In whole seconds, as GitHub tells it."""
        return datetime.now(UTC).replace(microsecond=0)

    def let_a_second_begin(self) -> None:
        """Before a person does something: were it told as of a second in which a program did something before it, it
        would seem to come first."""
        with self.lock:
            is_quiet, self._seen_by_people = len(self.seen) == self._seen_by_people, len(self.seen)
        if not is_quiet:
            time.sleep(1.0 - time.time() % 1.0 + 0.001)

    def user(self, login: str, *, role: str | None = None) -> User:
        found = self.users.get(login.casefold())
        if found is None:
            found = User(login, self.next_id(), is_bot=login.endswith("[bot]"))
            self.users[login.casefold()] = found
        if role is not None:
            if role not in ROLES:
                raise ValueError(role)
            found.role = role
        return found

    def may_write(self, user: User) -> bool:
        return ROLES.index(user.role) >= ROLES.index("write")

    def open_pull(
        self,
        branch: str,
        title: str,
        by: str,
        *,
        base: str = "main",
        body: str = "",
        fork: str | None = None,
        is_draft: bool = False,
    ) -> Pull:
        issue = self.open_issue(title, body, self.user(by))
        ours = self.git.branches()
        head, base_commit = (ours if fork is None else self.forks[fork].branches())[branch], ours[base]
        self._take_head(branch, fork, head, issue.number)
        pull = Pull(issue, self.next_id(), branch, base, head, base_commit, fork, is_draft)
        self.pulls[issue.number] = pull
        self._try_to_merge(pull)
        return pull

    def refresh(self) -> None:
        """What GitHub does after a push: heads and trial merges of open pull requests follow the branches."""
        ours, theirs = self.git.branches(), {owner: fork.branches() for owner, fork in self.forks.items()}
        for pull in self.pulls.values():
            if pull.issue.state == "open":
                branches = ours if pull.fork is None else theirs.get(pull.fork, {})
                head, base = branches.get(pull.branch, pull.head), ours.get(pull.base, pull.base_commit)
                if head != pull.head:
                    self._take_head(pull.branch, pull.fork, head, pull.number)
                if (head, base) != (pull.head, pull.base_commit):
                    pull.head, pull.base_commit = head, base
                    pull.issue.updated_at = self.now()
                    self._try_to_merge(pull)

    def merge(self, number: int, how: str, by: str) -> str:
        self.refresh()
        pull = self.pulls[number]
        if pull.issue.state != "open" or pull.is_draft:
            raise ValueError(f"#{number} is not open for merging")
        before = pull.base_commit
        commit = self._merged(pull, how, by)
        self.git.set_ref(f"refs/heads/{pull.base}", commit)
        self.git.set_ref(f"refs/pull/{number}/merge", None)
        pull.introduced = self.git.between(before, commit)
        pull.merge_commit, pull.merged_by, pull.merged_at = commit, self.user(by), self.now()
        self._close(pull.issue)
        self.refresh()
        return commit

    def close_pull(self, number: int) -> None:
        self._close(self.pulls[number].issue)

    def review(self, number: int, by: str, state: str, body: str, commit: str | None) -> Review:
        self.refresh()
        pull, user = self.pulls[number], self.user(by)
        if state not in {"APPROVED", "CHANGES_REQUESTED", "COMMENTED", "PENDING"}:
            raise ValueError(state)
        if user is pull.issue.user and state in {"APPROVED", "CHANGES_REQUESTED"}:
            raise ValueError("GitHub lets nobody approve what is their own")
        made = Review(self.next_id(), user, state, body, commit or pull.head, self.now())
        pull.reviews.append(made)
        return made

    def say(self, number: int, user: User, text: str) -> Comment:
        at = self.now()
        made = Comment(self.next_id(), user, text, at, at)
        self.issues[number].comments.append(made)
        return made

    def open_issue(self, title: str, body: str | None, user: User) -> Issue:
        number, at = len(self.issues) + 1, self.now()
        issue = Issue(self.next_id(), number, title, body, user, at, at)
        self.issues[number] = issue
        return issue

    def label(self, name: str, color: str = "ededed", description: str | None = None) -> Label:
        """The one of this name, whatever its case; made when there is none."""
        known = self.labels.get(name.casefold())
        if known is None:
            known = self.labels[name.casefold()] = Label(self.next_id(), name, color, description)
        return known

    def behind(self, commit: str) -> list[Pull]:
        """Those that brought a commit of the default branch; open and merged ones for any other."""
        on_main = commit in self.git.git("rev-list", "refs/heads/main").split()
        if on_main:
            return [each for each in self.pulls.values() if commit in each.introduced]
        return [each for each in self.pulls.values() if commit in each.own and _is_open_or_merged(each)]

    def _take_head(self, branch: str, fork: str | None, head: str, number: int) -> None:
        ref = f"refs/pull/{number}/head"
        if fork is None:
            self.git.set_ref(ref, head)
        else:
            self.git.fetch_from(self.forks[fork], branch, ref)

    def _try_to_merge(self, pull: Pull) -> None:
        trial = self._trials.get((pull.base_commit, pull.head))
        if trial is None:
            trial = self._trials[pull.base_commit, pull.head] = self._trial(pull.base_commit, pull.head)
        pull.own, pull.merge_commit = list(trial.own), trial.commit
        pull.is_mergeable = trial.commit is not None
        # With a conflict, the reference stays where it was, as on GitHub.
        if trial.commit is not None:
            self.git.set_ref(f"refs/pull/{pull.number}/merge", trial.commit)

    def _trial(self, base: str, head: str) -> "_Trial":
        own = tuple(self.git.between(base, head))
        try:
            tree = self.git.merged_tree(base, head)
        except ConflictError:
            return _Trial(own, None)
        return _Trial(own, self.git.commit(tree, [base, head], f"Merge {head} into {base}", "GitHub"))

    def _merged(self, pull: Pull, how: str, by: str) -> str:
        owner = pull.fork or self.full_name.split("/")[0]
        match how:
            case "merge":
                tree = self.git.merged_tree(pull.base_commit, pull.head)
                words = f"Merge pull request #{pull.number} from {owner}/{pull.branch}\n\n{pull.issue.title}"
                return self.git.commit(tree, [pull.base_commit, pull.head], words, by)
            case "squash":
                tree = self.git.merged_tree(pull.base_commit, pull.head)
                return self.git.commit(tree, [pull.base_commit], f"{pull.issue.title} (#{pull.number})", by)
            case "rebase":
                return self.git.rebased(pull.base_commit, pull.head)
            case _:
                raise ValueError(how)

    def _close(self, issue: Issue) -> None:
        issue.state = "closed"
        issue.closed_at = issue.updated_at = self.now()


def _is_open_or_merged(pull: Pull) -> bool:
    return pull.issue.state == "open" or pull.merged_at is not None
