"""One request after another to one GitHub host: pages, repeats what may pass, keeps to limits, and turns every failure
into a PullRequestsError without the library's exceptions, which hold what was sent and answered."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from github import GithubException
from github.Requester import Requester

from reconciler.adapters.github.credentials import App, Credentials, Token
from reconciler.adapters.github.failures import Failure, cannot_be_asked, no_answer, refused
from reconciler.adapters.github.sign_in import VERSION, sign_in
from reconciler.ports.pull_requests import PullRequestsError

_T = TypeVar("_T")

#: Seconds that one request may take with all its repetitions; a longer pause is left to the caller.
PATIENCE: Final = 30.0
#: Seconds before the second and the third try.
_PAUSES: Final = (0.5, 2.0)
_PER_PAGE: Final = 100
#: Ten thousand entries: no list that is read here is meant to be that long.
_MOST_PAGES: Final = 100


@dataclass(frozen=True, slots=True)
class Question:
    #: Completes "cannot …".
    intent: str
    verb: str
    #: From `/repos/…`; empty for a GraphQL query, which is then the body.
    path: str
    parameters: Mapping[str, str | int] = field(default_factory=dict)
    body: object = None
    #: Asking twice is as good as once.
    may_repeat: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    data: Any
    has_more: bool


class Connection:
    def __init__(self, credentials: Credentials, api_url: str, repository: str, *, patience: float = PATIENCE) -> None:
        self._credentials = credentials
        self._api_url = api_url
        self._repository = repository
        self._patience = patience
        self._requester: Requester | None = None
        # The library's connection is not made for several threads, and GitHub asks for one request at a time. Two
        # locks: tasks wait without a thread, and a request left behind by a cancelled task is waited for as well.
        self._turn = asyncio.Lock()
        self._alone = threading.Lock()

    async def one(self, question: Question, read: Callable[[Any], _T]) -> _T:
        return _read(question, read, (await self._answer(question)).data)

    async def every(
        self, intent: str, path: str, read: Callable[[Any], _T], parameters: Mapping[str, str | int] | None = None
    ) -> list[_T]:
        found: list[_T] = []
        for page in range(1, _MOST_PAGES + 1):
            asked = {**(parameters or {}), "per_page": _PER_PAGE, "page": page}
            question = Question(intent, "GET", path, asked)
            answer = await self._answer(question)
            found += _read(question, lambda entries: [read(each) for each in entries], answer.data)
            if not answer.has_more:
                return found
        raise PullRequestsError(f"GitHub: cannot {intent}: there are more than {len(found)}.")

    async def do(self, question: Question) -> None:
        await self._answer(question)

    async def close(self) -> None:
        """Returns at once; a request that was left behind ends by itself."""
        if self._requester is not None and not self._alone.locked():
            self._requester.close()

    async def _answer(self, question: Question) -> Answer:
        until = time.monotonic() + self._patience
        pauses = iter(_PAUSES)
        while True:
            async with self._turn:
                outcome = await asyncio.to_thread(self._ask, question)
            if isinstance(outcome, Answer):
                return outcome
            pause = next(pauses, None)
            may_pass = outcome.is_passing and (question.may_repeat or outcome.was_refused_unseen)
            wait = outcome.pause if outcome.pause is not None else pause
            if pause is None or wait is None or not may_pass or time.monotonic() + wait > until:
                raise outcome.error(question.intent)
            await asyncio.sleep(wait)

    def _ask(self, question: Question) -> Answer | Failure:
        with self._alone:
            try:
                return self._exchange(question)
            except GithubException as error:
                return refused(error, _secrets(self._credentials))
            except OSError as error:
                return no_answer(error)
            except Exception as error:  # noqa: BLE001 - the library asserts, and keys are read by yet another one
                return cannot_be_asked(error)

    def _exchange(self, question: Question) -> Answer:
        if self._requester is None:
            self._requester = sign_in(self._credentials, self._api_url, self._repository)
        if not question.path:
            _, data = self._requester.graphql_query(str(question.body), {})
            return Answer(data, has_more=False)
        headers, data = self._requester.requestJsonAndCheck(
            question.verb, question.path, dict(question.parameters), dict(VERSION), question.body
        )
        return Answer(data, has_more='rel="next"' in str(headers.get("link", "")))


def _read(question: Question, read: Callable[[Any], _T], data: Any) -> _T:
    try:
        return read(data)
    except (LookupError, TypeError, ValueError, AttributeError):
        pass
    raise PullRequestsError(
        f"GitHub: cannot {question.intent}: the answer is not one of GitHub's API.", "Check GITHUB_API_URL."
    )


def _secrets(credentials: Credentials) -> tuple[str, ...]:
    match credentials:
        case Token(value):
            return (value,)
        case App(private_key=key):
            return (key,)
