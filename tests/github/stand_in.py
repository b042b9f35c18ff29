"""The control object of the stand-in: what people do, what goes wrong, and what there is to see.

    with standing_in(tmp_path / "github") as github:
        github.user("rita", role="write")
        work = github.clone(tmp_path / "work")      # then commit and push branches with plain git
        number = github.open_pull("widen", "Widen q1", by="ada")
        token = github.workflow_token({"pull-requests": "write", "statuses": "write"})

On leaving, a request that the real GitHub would not have understood fails the test. Branches may be pushed at any time:
heads and trial merges of pull requests follow with the next request, event or call here.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.github.bare import BareRepository
from tests.github.events import Events, variables
from tests.github.faults import Fault
from tests.github.forms import Json
from tests.github.issue_rules import fresh_token
from tests.github.records import AppRecord, Pull, Run, RunApproval, Seen
from tests.github.server import Server
from tests.github.state import World

WORKFLOWS = "github-actions[bot]"


@dataclass(frozen=True)
class AppCredentials:
    id: str
    private_key: str
    installation: int


class StandIn:
    """Use `standing_in`. Everything may be called from any thread."""

    def __init__(self, world: World, server: Server, folder: Path) -> None:
        self._world = world
        self._server = server
        self._folder = folder
        self._events = 0

    # Addresses

    @property
    def repository(self) -> str:
        return self._world.full_name

    @property
    def api_url(self) -> str:
        return self._server.forms.api

    @property
    def site(self) -> str:
        """For people: GITHUB_SERVER_URL."""
        return self._server.forms.site

    @property
    def clone_url(self) -> str:
        return self._world.git.root.as_uri()

    @property
    def git(self) -> BareRepository:
        """The repository itself; `git.git("rev-parse", "main")` and the like."""
        return self._world.git

    # People and tokens

    def user(self, login: str, role: str = "read") -> str:
        """`role`: none, read, triage, write, maintain or admin; of this repository. Changes that of a known user."""
        with self._world.lock:
            return self._world.user(login, role=role).login

    def workflow_token(self, permissions: Mapping[str, str]) -> str:
        """GITHUB_TOKEN, with `permissions` as in a workflow: `{"pull-requests": "write"}`; what is left out is none."""
        with self._world.lock:
            return fresh_token(self._world, "workflow", self._world.user(WORKFLOWS), dict(permissions))

    def personal_token(self, login: str, permissions: Mapping[str, str]) -> str:
        with self._world.lock:
            return fresh_token(self._world, "personal", self._world.user(login), dict(permissions))

    def app(self, slug: str, permissions: Mapping[str, str]) -> AppCredentials:
        """Makes a key, which takes a tenth of a second. Its comments are by `<slug>[bot]`."""
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - few tests need it
        from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415

        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        private = key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, plain).decode()
        public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
        with self._world.lock:
            user, ids = self._world.user(f"{slug}[bot]"), (self._world.next_id(), self._world.next_id())
            self._world.apps[ids[0]] = AppRecord(ids[0], slug, user, ids[1], dict(permissions), public)
        return AppCredentials(str(ids[0]), private, ids[1])

    def app_token(self, slug: str, permissions: Mapping[str, str]) -> str:
        """Of an installation, made by somebody else."""
        with self._world.lock:
            return fresh_token(self._world, "app", self._world.user(f"{slug}[bot]"), dict(permissions))

    def delete_user(self, login: str) -> None:
        """What they wrote stays, under their name."""
        with self._world.lock:
            del self._world.users[login.casefold()]

    def revoke(self, token: str) -> None:
        with self._world.lock:
            del self._world.tokens[token]

    def rename(self, full_name: str) -> None:
        """The former name redirects, as on GitHub."""
        with self._world.lock:
            self._world.former_names.add(self._world.full_name)
            self._world.full_name = full_name

    # Git

    def clone(self, folder: Path, *, fork: str | None = None) -> Path:
        """A working tree with a name to commit by; of `fork` when it is given."""
        root = self._world.forks[fork].root if fork else self._world.git.root
        self._world.git.git("clone", "--quiet", str(root), str(folder))
        for name, value in (("user.name", "Ada Lovelace"), ("user.email", "ada@example.org")):
            self._world.git.git("config", name, value, at=folder)
        return folder

    def fork(self, owner: str) -> Path:
        """Makes the fork of somebody; gives its bare repository."""
        with self._world.lock:
            self._world.user(owner)
            made = self._world.git.fork(self._folder / "forks" / f"{owner}.git")
            self._world.forks[owner] = made
            return made.root

    def delete_fork(self, owner: str) -> None:
        with self._world.lock:
            del self._world.forks[owner]

    def commit(
        self,
        branch: str,
        files: Mapping[str, str | bytes | None],
        message: str,
        *,
        onto: str = "main",
        fork: str | None = None,
    ) -> str:
        """A commit on a branch without a working tree of one's own; the branch begins at `onto` when it is new. None
        as content takes a file away."""
        repository = self._world.forks[fork] if fork else self._world.git
        parent = repository.resolve(f"refs/heads/{branch}") or repository.resolve(onto)
        with self._world.lock:
            made = repository.commit_files(parent, files, message)
            repository.set_ref(f"refs/heads/{branch}", made)
        return made

    # Pull requests

    def open_pull(
        self,
        branch: str,
        title: str,
        *,
        by: str,
        base: str = "main",
        body: str = "",
        fork: str | None = None,
        draft: bool = False,
    ) -> int:
        with self._world.lock:
            made = self._world.open_pull(branch, title, by, base=base, body=body, fork=fork, is_draft=draft)
            return made.number

    def merge(self, number: int, how: str = "squash", *, by: str) -> str:
        """`how`: merge, squash or rebase. Gives the commit that `main` is at now. Raises ConflictError."""
        self._world.let_a_second_begin()
        with self._world.lock:
            return self._world.merge(number, how, by)

    def close_pull(self, number: int) -> None:
        with self._world.lock:
            self._world.close_pull(number)

    def pull(self, number: int) -> Pull:
        with self._world.lock:
            self._world.refresh()
            return self._world.pulls[number]

    def review(self, number: int, by: str, state: str, body: str = "", *, commit: str | None = None) -> int:
        """`state`: APPROVED, CHANGES_REQUESTED, COMMENTED or PENDING. Gives its id."""
        self._world.let_a_second_begin()
        with self._world.lock:
            return self._world.review(number, by, state, body, commit).id

    def dismiss(self, number: int, review: int) -> None:
        with self._world.lock:
            found = next(each for each in self._world.pulls[number].reviews if each.id == review)
            found.state = "DISMISSED"

    def say(self, number: int, by: str, text: str) -> int:
        """Gives the id of the comment."""
        self._world.let_a_second_begin()
        with self._world.lock:
            return self._world.say(number, self._world.user(by), text).id

    # Workflow runs

    def run(self, head_sha: str, event: str = "push") -> int:
        with self._world.lock:
            at = self._world.now()
            made = Run(self._world.next_id(), head_sha, event, at, at)
            self._world.runs[made.id] = made
            return made.id

    def let_go_ahead(self, run: int, by: str, environment: str = "production", state: str = "approved") -> None:
        self._world.let_a_second_begin()
        with self._world.lock:
            found = self._world.runs[run]
            found.approvals.append(RunApproval(self._world.user(by), state, environment, ""))
            found.updated_at = self._world.now()

    # What there is to see

    def comments(self, number: int) -> list[tuple[str, str]]:
        """Who wrote what, oldest first."""
        with self._world.lock:
            return [(each.user.login, each.body) for each in self._world.issues[number].comments]

    def labels(self, number: int) -> set[str]:
        with self._world.lock:
            return set(self._world.issues[number].labels)

    def label_details(self) -> dict[str, tuple[str, str | None]]:
        """Of the repository: name → colour, description."""
        with self._world.lock:
            return {each.name: (each.color, each.description) for each in self._world.labels.values()}

    def statuses(self, commit: str) -> dict[str, tuple[str, str | None, str | None]]:
        """Context → state, description and URL, as they stand now."""
        with self._world.lock:
            found = reversed(self._world.statuses.get(commit, []))
            return {each.context: (each.state, each.description, each.target_url) for each in found}

    def issues(self, state: str = "open") -> list[tuple[int, str, str]]:
        """Number, title and text of those that are no pull requests."""
        with self._world.lock:
            return [
                (number, each.title, each.body or "")
                for number, each in self._world.issues.items()
                if number not in self._world.pulls and state in {"all", each.state}
            ]

    def open_issue(self, title: str, body: str, *, by: str, labels: tuple[str, ...] = ()) -> int:
        with self._world.lock:
            made = self._world.open_issue(title, body, self._world.user(by))
            made.labels = [self._world.label(name).name for name in labels]
            return made.number

    @property
    def requests(self) -> list[Seen]:
        with self._world.lock:
            return list(self._world.seen)

    @property
    def complaints(self) -> list[str]:
        """What the real GitHub would not have understood; clear it in a test that means to ask so."""
        return self._world.complaints

    # What goes wrong

    def fail(
        self,
        where: str,
        *,
        status: int = 500,
        method: str = "",
        times: int = 1,
        message: str = "Server Error",
        headers: Mapping[str, str] | None = None,
        after: bool = False,
        text: str | None = None,
    ) -> None:
        """`where`: a part of the path. `after`: what was asked for is done first, and told as failed all the same."""
        given = tuple((headers or {}).items())
        self._fault(Fault(method, where, status, message, given, is_after=after, times=times, text=text))

    def throttle(self, where: str, *, retry_after: int, status: int = 429, times: int = 1) -> None:
        message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        self.fail(where, status=status, times=times, message=message, headers={"Retry-After": str(retry_after)})

    def drop(self, where: str, *, method: str = "", times: int = 1, after: bool = False) -> None:
        """The connection ends without an answer."""
        self._fault(Fault(method, where, 0, is_dropped=True, is_after=after, times=times))

    def slow(self, where: str, seconds: float, *, times: int = 1) -> None:
        self._fault(Fault("", where, 0, delay=seconds, times=times))

    def mend(self) -> None:
        with self._world.lock:
            self._server.faults.clear()

    def _fault(self, fault: Fault) -> None:
        with self._world.lock:
            self._server.faults.append(fault)

    # Events

    def event(
        self,
        kind: str,
        *,
        by: str,
        number: int | None = None,
        action: str = "opened",
        before: str | None = None,
        ref: str = "refs/heads/main",
        comment: int | None = None,
        workflow: str = ".github/workflows/sharepack.yml",
        cron: str = "0 6 * * *",
        inputs: Mapping[str, str] | None = None,
    ) -> Json:
        """The payload. `kind`: pull_request (`number`, `action`, `before` for synchronize), push (`ref`, `before`),
        issue_comment (`number`, `comment`), schedule (`cron`) or workflow_dispatch (`ref`, `inputs`)."""
        with self._world.lock:
            self._world.refresh()
            events, sender = Events(self._world, self._server.forms), self._world.user(by)
            match kind:
                case "pull_request":
                    return events.pull_request(self._world.pulls[number or 0], action, sender, before)
                case "push":
                    return events.push(ref, before, self._world.git.git("rev-parse", ref), sender)
                case "issue_comment":
                    return events.issue_comment(number or 0, comment or 0, sender)
                case "schedule":
                    return events.schedule(cron, workflow)
                case "workflow_dispatch":
                    return events.workflow_dispatch(ref, workflow, dict(inputs or {}), sender)
                case _:
                    raise ValueError(kind)

    def event_file(
        self,
        kind: str,
        *,
        by: str,
        number: int | None = None,
        action: str = "opened",
        before: str | None = None,
        ref: str = "refs/heads/main",
        comment: int | None = None,
        cron: str = "0 6 * * *",
        inputs: Mapping[str, str] | None = None,
    ) -> Path:
        """The payload as the file that GITHUB_EVENT_PATH names; see `event`."""
        payload = self.event(kind, by=by, number=number, action=action, before=before, ref=ref, comment=comment,
                             cron=cron, inputs=inputs)  # fmt: skip
        self._events += 1
        place = self._folder / "events" / f"{self._events}.json"
        place.parent.mkdir(exist_ok=True)
        place.write_text(json.dumps(payload, indent=2), encoding="utf-8")
        return place

    def environment(self, kind: str, event: Path, *, token: str = "", run: int = 1) -> dict[str, str]:
        """The variables that a step of a workflow finds, for an event of `event_file`; `token` only where it is handed
        on."""
        payload = json.loads(event.read_text(encoding="utf-8"))
        with self._world.lock:
            found = variables(kind, payload, self._world, self._server.forms)
        found |= {"GITHUB_EVENT_PATH": str(event), "GITHUB_RUN_ID": str(run)}
        return found | ({"GITHUB_TOKEN": token} if token else {})


@contextmanager
def standing_in(folder: Path, repository: str = "acme/packs", *, prefix: str = "") -> Iterator[StandIn]:
    """`folder` is made. `prefix`: `/api/v3` for the addresses of GitHub Enterprise Server."""
    folder.mkdir(parents=True)
    world = World(repository, folder)
    server = Server(world, prefix)
    with server.serving():
        yield StandIn(world, server, folder)
    if world.complaints:
        raise AssertionError("GitHub would not have understood:\n" + "\n".join(world.complaints))
