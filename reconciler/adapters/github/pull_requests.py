"""The port PullRequests on GitHub: which requests it takes, and which of the answers count. What to say, whether an
approval suffices and what to do about a failure is decided by others."""

import re
from collections.abc import Collection, Sequence
from typing import Final
from urllib.parse import quote

from reconciler.adapters.github import reading
from reconciler.adapters.github.connection import PATIENCE, Connection, Question
from reconciler.adapters.github.credentials import Credentials
from reconciler.adapters.github.failures import RefusedError, UnheardError
from reconciler.adapters.github.people import People
from reconciler.adapters.github.reading import Comment, Issue, Repository, Review
from reconciler.ports.pull_requests import Approval, PullRequest, PullRequestsError, Said, State

API_URL: Final = "https://api.github.com"
#: On the issue that reports drift, so that it is found without reading all there are.
ISSUE_LABEL: Final = "sharepack"
#: https://docs.github.com/en/rest/commits/statuses: the API refuses longer ones.
_MOST_WORDS: Final = 140
#: Of a title, which GitHub refuses when it is longer.
_LONGEST_TITLE: Final = 256
_COLOUR: Final = "5319e7"
_DESCRIPTION: Final = "Set and taken away by sharepack"
_CLOSING: Final = "Closed: what was reported here is no longer so."

_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+")


class GitHubPullRequests:
    """Use `open`. Safe to share between the tasks of one event loop."""

    def __init__(self, repository: str, connection: Connection) -> None:
        self._repository = repository
        self._home = f"/repos/{repository}"
        self._connection = connection
        self._people = People(connection, repository)
        self._known: Repository | None = None

    def __repr__(self) -> str:
        return f"GitHubPullRequests({self._repository!r})"

    @classmethod
    def open(
        cls, repository: str, credentials: Credentials, api_url: str = API_URL, *, patience: float = PATIENCE
    ) -> "GitHubPullRequests":
        """Asks nothing yet. `repository`: `owner/name`. `patience`: seconds that one request may take with all its
        repetitions. Raises ValueError for a name that no repository has."""
        if not _REPOSITORY.fullmatch(repository) or repository.endswith(("/.", "/..")):
            raise ValueError(f"{repository!r} is not a repository of GitHub; write OWNER/REPOSITORY")
        return cls(repository, Connection(credentials, api_url, repository, patience=patience))

    @property
    def repository(self) -> str:
        return self._repository

    async def open_ones(self) -> Sequence[PullRequest]:
        await self._make_sure()
        query = {"state": "open", "sort": "created", "direction": "asc"}
        return await self._connection.every("list pull requests", f"{self._home}/pulls", reading.pull_request, query)

    async def get(self, number: int) -> PullRequest:
        await self._make_sure()
        question = Question(f"read pull request #{number}", "GET", f"{self._home}/pulls/{number}")
        return await self._connection.one(question, reading.pull_request)

    async def propose(self, branch: str, title: str, body: str, base: str = "") -> PullRequest:
        into = base or (await self._make_sure()).default_branch
        found = await self._proposed(branch, into)
        if found is not None:
            return found
        line = " ".join(title.split())[:_LONGEST_TITLE]
        question = Question(
            f"open a pull request for {branch}",
            "POST",
            f"{self._home}/pulls",
            body={"title": line, "head": branch, "base": into, "body": body},
            may_repeat=False,
        )
        try:
            return await self._connection.one(question, reading.pull_request)
        except (UnheardError, RefusedError):
            # It may be open all the same: the answer was lost, or somebody else was faster.
            found = await self._proposed(branch, into)
            if found is None:
                raise
            return found

    async def behind(self, commit: str) -> Sequence[PullRequest]:
        await self._make_sure()
        intent = f"find the pull requests behind {commit[:12]}"
        path = f"{self._home}/commits/{quote(commit, safe='')}/pulls"
        try:
            found = await self._connection.every(intent, path, reading.pull_request)
        except RefusedError as error:
            # A commit that was never pushed is "No commit found for SHA", with 422.
            if error.status == 422:
                return ()
            raise
        # Entries of lists do not say who merged.
        return [await self.get(each.number) for each in found if each.is_merged]

    async def approvals(self, number: int) -> Sequence[Approval]:
        """Only people who may write to the repository approve: anybody who can read it may write a review."""
        last: dict[str, Review] = {}
        for each in await self._reviews(number):
            if each.state in {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}:
                last[each.author.login] = each
        standing = [each for each in last.values() if each.state == "APPROVED"]
        return [
            Approval(each.author.login, "review", each.at, each.commit)
            for each in sorted(standing, key=lambda review: review.at)
            if await self._people.is_trusted(each.author)
        ]

    async def environment_approvals(self, run_id: int) -> Sequence[Approval]:
        """GitHub does not say when; it was before the run was last heard of."""
        await self._make_sure()
        path = f"{self._home}/actions/runs/{run_id}"
        intent = f"see who let workflow run {run_id} go ahead"
        given = await self._connection.one(
            Question(intent, "GET", f"{path}/approvals"), lambda entries: [reading.deployment(each) for each in entries]
        )
        approved = [each for each in given if each.is_approved and each.author.login]
        if not approved:
            return ()
        run = await self._connection.one(Question(intent, "GET", path), reading.run)
        return [
            Approval(each.author.login, f"environment {environment}", run.updated_at, run.commit)
            for each in approved
            for environment in each.environments
        ]

    async def said(self, number: int) -> Sequence[Said]:
        comments = await self._comments(number)
        reviews = await self._reviews(number)
        everything: list[Comment | Review] = [*comments, *reviews]
        candidates = sorted((each for each in everything if each.text.strip()), key=lambda each: each.at)
        return [
            Said(each.author.login, each.text, each.at)
            for each in candidates
            if await self._people.is_trusted(each.author)
        ]

    async def comment(self, number: int, marker: str, body: str) -> str:
        try:
            return await self._put(number, marker, body)
        except UnheardError:
            pass
        # It may stand there all the same: look again before writing a second one.
        return await self._put(number, marker, body)

    async def commented(self, number: int, marker: str) -> str | None:
        ours = await self._ours(number, marker)
        return ours[0].text if ours else None

    async def label(self, number: int, labels: Collection[str], family: str) -> None:
        await self._make_sure()
        path = f"{self._home}/issues/{number}/labels"
        intent = f"label pull request #{number}"
        there = set(await self._connection.every(intent, path, reading.label_name))
        if missing := sorted(set(labels) - there):
            for each in missing:
                await self._create_label(each)
            await self._connection.do(Question(intent, "POST", path, body={"labels": missing}))
        for each in sorted(there - set(labels)):
            if each.startswith(family):
                await self._take_away(Question(intent, "DELETE", f"{path}/{quote(each, safe='')}"))

    async def status(self, commit: str, context: str, state: State, words: str, url: str = "") -> None:
        await self._make_sure()
        line = " ".join(words.split())
        body = {
            "state": state.value,
            "context": context,
            "description": line if len(line) <= _MOST_WORDS else f"{line[: _MOST_WORDS - 1]}…",
            **({"target_url": url} if url else {}),
        }
        intent = f"set the status of {commit[:12]}"
        await self._connection.do(Question(intent, "POST", f"{self._home}/statuses/{commit}", body=body))

    async def issue(self, marker: str, title: str, body: str | None) -> str | None:
        try:
            return await self._report(marker, title, body)
        except UnheardError:
            pass
        return await self._report(marker, title, body)

    async def close(self) -> None:
        await self._connection.close()

    async def _make_sure(self) -> Repository:
        """Under its present name: requests for a former one are sent on by GitHub, but not with all that was asked."""
        if self._known is not None:
            return self._known
        found = await self._connection.one(
            Question(f"find the repository {self._repository}", "GET", self._home), reading.repository
        )
        if found.full_name.casefold() != self._repository.casefold():
            raise PullRequestsError(f"GitHub: {self._repository} is called {found.full_name} now.", "Use that name.")
        self._known = found
        return found

    async def _proposed(self, branch: str, base: str) -> PullRequest | None:
        owner = (await self._make_sure()).full_name.partition("/")[0]
        query = {"state": "open", "head": f"{owner}:{branch}", "base": base}
        intent = f"look for a pull request of {branch}"
        found = await self._connection.every(intent, f"{self._home}/pulls", reading.pull_request, query)
        return next((each for each in found if not each.is_fork and each.base == base), None)

    async def _comments(self, number: int) -> list[Comment]:
        await self._make_sure()
        path = f"{self._home}/issues/{number}/comments"
        return await self._connection.every(f"read the comments of #{number}", path, reading.comment)

    async def _reviews(self, number: int) -> list[Review]:
        await self._make_sure()
        path = f"{self._home}/pulls/{number}/reviews"
        found = await self._connection.every(f"read the reviews of #{number}", path, reading.review)
        return [each for each in found if each is not None]

    async def _ours(self, number: int, marker: str) -> list[Comment]:
        """Oldest first. Somebody else's comment is never ours, whatever it carries."""
        marked = [each for each in await self._comments(number) if _carries(each.text, marker)]
        return [each for each in marked if await self._people.is_ourselves(each.author)]

    async def _put(self, number: int, marker: str, body: str) -> str:
        ours = await self._ours(number, marker)
        intent = f"comment on #{number}"
        if not ours:
            path = f"{self._home}/issues/{number}/comments"
            question = Question(intent, "POST", path, body={"body": body}, may_repeat=False)
            return (await self._connection.one(question, reading.comment)).url
        kept, *others = ours
        path = f"{self._home}/issues/comments"
        for each in others:
            # Two that ran at the same time.
            await self._take_away(Question(intent, "DELETE", f"{path}/{each.id}"))
        if kept.text != body:
            await self._connection.do(Question(intent, "PATCH", f"{path}/{kept.id}", body={"body": body}))
        return kept.url

    async def _create_label(self, name: str) -> None:
        intent = f"create the label {name}"
        body = {"name": name, "color": _COLOUR, "description": _DESCRIPTION}
        try:
            await self._connection.do(Question(intent, "GET", f"{self._home}/labels/{quote(name, safe='')}"))
        except RefusedError as error:
            if error.status != 404:
                raise
        else:
            return
        await self._connection.do(Question(intent, "POST", f"{self._home}/labels", body=body))

    async def _take_away(self, question: Question) -> None:
        try:
            await self._connection.do(question)
        except RefusedError as error:
            # Somebody was faster.
            if error.status != 404:
                raise

    async def _report(self, marker: str, title: str, body: str | None) -> str | None:
        ours = await self._our_issue(marker)
        if ours is None:
            return None if body is None else await self._open_issue(title, body)
        path = f"{self._home}/issues/{ours.number}"
        if body is not None:
            await self._connection.do(
                Question(f"update issue #{ours.number}", "PATCH", path, body={"title": title, "body": body})
            )
            return ours.url
        closed = {"state": "closed", "state_reason": "completed"}
        await self._connection.do(Question(f"close issue #{ours.number}", "PATCH", path, body=closed))
        words = Question(f"comment on #{ours.number}", "POST", f"{path}/comments", body={"body": _CLOSING})
        await self._connection.do(words)
        return ours.url

    async def _our_issue(self, marker: str) -> Issue | None:
        await self._make_sure()
        query = {"state": "open", "labels": ISSUE_LABEL, "sort": "created", "direction": "asc"}
        found = await self._connection.every("list issues", f"{self._home}/issues", reading.issue, query)
        for each in found:
            if not each.is_pull_request and marker in each.text and await self._people.is_ourselves(each.author):
                return each
        return None

    async def _open_issue(self, title: str, body: str) -> str:
        await self._create_label(ISSUE_LABEL)
        asked = {"title": title, "body": body, "labels": [ISSUE_LABEL]}
        opened = await self._connection.one(
            Question("open an issue", "POST", f"{self._home}/issues", body=asked, may_repeat=False), reading.issue
        )
        if ISSUE_LABEL not in opened.labels:
            # Labels are dropped without a word where one may not set them; without it, another would be opened soon.
            path = f"{self._home}/issues/{opened.number}/labels"
            intent = f"label issue #{opened.number}"
            await self._connection.do(Question(intent, "POST", path, body={"labels": [ISSUE_LABEL]}))
        return opened.url


def _carries(text: str, marker: str) -> bool:
    return text.lstrip().split("\n", 1)[0].strip() == marker.strip()
