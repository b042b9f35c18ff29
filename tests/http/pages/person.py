"""Somebody at a browser without script: keeps cookies, follows links, fills in the forms of the page they are on."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.http.api import Answer
from tests.render.html.parsed import Element, parse


@dataclass
class Person:
    url: str
    session: aiohttp.ClientSession
    #: Of the page they are on.
    answer: Answer = field(default_factory=lambda: Answer(0, {}, b""))
    #: Of every answer on the way to it.
    statuses: list[int] = field(default_factory=list)
    path: str = ""

    @property
    def elements(self) -> list[Element]:
        return parse(self.answer.text)

    @property
    def text(self) -> str:
        """Of the page, its blanks made single."""
        body = next(each for each in self.elements if each.tag == "body")
        return " ".join(body.text.split())

    @property
    def title(self) -> str:
        return next(each.text for each in self.elements if each.tag == "h1")

    async def open(self, path: str) -> "Person":
        return await self._send("GET", path)

    async def send(
        self, action: str, fields: Mapping[str, str] | None = None, file: tuple[str, bytes] | None = None
    ) -> "Person":
        """The form of this page that goes there, with what is in it already."""
        form = aiohttp.FormData(quote_fields=False)
        for name, value in {**self.hidden(action), **(fields or {})}.items():
            form.add_field(name, value)
        if file is not None:
            form.add_field("file", file[1], filename=file[0])
        return await self._send("POST", action, data=form)

    def hidden(self, action: str) -> dict[str, str]:
        """What is filled in already. Raises AssertionError when there is no such form."""
        found: dict[str, str] = {}
        current = ""
        seen = False
        for each in self.elements:
            if each.tag == "form":
                current = each.attributes.get("action", "")
                seen = seen or current == action
            if each.tag == "input" and current == action and each.attributes.get("type") != "file":
                found[each.attributes["name"]] = each.attributes.get("value", "")
        assert seen, f"no form goes to {action}"
        return found

    async def sign_in(self, key: str, after: str = "/") -> "Person":
        await self.open(f"/sign-in?after={after}")
        return await self.send("/sign-in", {"key": key})

    async def _send(self, method: str, path: str, **more: Any) -> "Person":
        async with self.session.request(method, f"{self.url}{path}", **more) as answer:
            self.statuses = [*(each.status for each in answer.history), answer.status]
            self.path = answer.url.path_qs
            headers = {name.lower(): value for name, value in answer.headers.items()}
            self.answer = Answer(answer.status, headers, await answer.read())
        return self


@asynccontextmanager
async def somebody(url: str) -> AsyncIterator[Person]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Person(url, session)
