"""Whose word counts: who we are ourselves, and who may write to the repository. What follows from it is not decided
here."""

import time
from typing import Final
from urllib.parse import quote

from reconciler.adapters.github import reading
from reconciler.adapters.github.connection import Connection, Question
from reconciler.adapters.github.failures import RefusedError
from reconciler.adapters.github.reading import Author

#: Seconds that an answer is remembered: somebody may lose the right to write while a daemon runs.
_REMEMBERED: Final = 300.0

#: The one question that every kind of token may ask; `GET /user` is refused to a workflow's and to an App's.
#: It answers `github-actions[bot]`, `<slug of the App>[bot]`, or the login of whose token it is.
_WHO_AM_I: Final = "query { viewer { login } }"


class People:
    def __init__(self, connection: Connection, repository: str) -> None:
        self._connection = connection
        self._repository = repository
        self._ourselves = ""
        self._may_write: dict[str, tuple[bool, float]] = {}

    async def is_ourselves(self, author: Author) -> bool:
        if not self._ourselves:
            question = Question("find out whose token it is", "POST", "", body=_WHO_AM_I)
            self._ourselves = await self._connection.one(question, reading.login)
        return author.login.casefold() == self._ourselves.casefold()

    async def is_trusted(self, author: Author) -> bool:
        """A person who may write to the repository; `author_association` does not tell that."""
        if not author.is_person or not author.login:
            return False
        known, until = self._may_write.get(author.login, (False, 0.0))
        if time.monotonic() >= until:
            known = await self._asked(author.login)
            self._may_write[author.login] = known, time.monotonic() + _REMEMBERED
        return known

    async def _asked(self, login: str) -> bool:
        path = f"/repos/{self._repository}/collaborators/{quote(login, safe='')}/permission"
        question = Question(f"look up what {login} may do", "GET", path)
        try:
            return await self._connection.one(question, reading.may_write)
        except RefusedError as error:
            # An account that is gone since.
            if error.status == 404:
                return False
            raise
