"""What our adapter spares `requests`: which pool of connections is used, and when a connection is free again."""

from collections.abc import Iterator

import pytest
import requests
from requests.adapters import HTTPAdapter

from reconciler.adapters.databricks.connection import _settle_environment, _Wire
from tests.adapters.databricks.tiny import Tiny, tiny_server


@pytest.fixture
def tiny() -> Iterator[Tiny]:
    with tiny_server() as server:
        yield server


@pytest.fixture
def other() -> Iterator[Tiny]:
    with tiny_server() as server:
        yield server


@pytest.fixture
def session(tiny: Tiny) -> Iterator[requests.Session]:
    with requests.Session() as opened:
        _settle_environment(opened, tiny.url)
        opened.mount("http://", _Wire(tiny.url, 1, lambda _: None, lambda _: None))
        yield opened


@pytest.fixture
def looked_for(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """URLs for which `requests` looked for a pool."""
    found: list[str] = []
    look = HTTPAdapter.get_connection_with_tls_context

    def counted(self: HTTPAdapter, request: requests.PreparedRequest, *args: object, **options: object) -> object:
        found.append(request.url or "")
        return look(self, request, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(HTTPAdapter, "get_connection_with_tls_context", counted)
    return found


def ask(session: requests.Session, url: str) -> int:
    return session.get(url, timeout=5.0).status_code


def test_the_pool_of_the_workspace_is_looked_for_once(
    session: requests.Session, tiny: Tiny, looked_for: list[str]
) -> None:
    assert [ask(session, f"{tiny.url}/api/{number}?x=1") for number in range(3)] == [200] * 3
    assert looked_for == [f"{tiny.url}/api/0?x=1"]


def test_a_pool_that_was_let_go_is_replaced(session: requests.Session, tiny: Tiny, looked_for: list[str]) -> None:
    ask(session, f"{tiny.url}/api/0")
    session.close()
    assert ask(session, f"{tiny.url}/api/1") == 200
    assert len(looked_for) == 2


def test_another_host_is_never_asked_over_a_connection_to_the_workspace(
    session: requests.Session, tiny: Tiny, other: Tiny
) -> None:
    ask(session, f"{tiny.url}/api/0")
    assert ask(session, f"{other.url}/api/0") == 200
    assert (tiny.asked, other.asked) == (1, 1)


def test_a_proxy_of_the_environment_is_used_for_each_request(
    monkeypatch: pytest.MonkeyPatch, tiny: Tiny, other: Tiny
) -> None:
    monkeypatch.setenv("http_proxy", other.url)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with requests.Session() as session:
        _settle_environment(session, "http://workspace.example")
        session.mount("http://", _Wire("http://workspace.example", 1, lambda _: None, lambda _: None))
        # The path of a request to a proxy is the whole URL, which the server does not take for one of the API.
        assert [ask(session, "http://workspace.example/api/0") for _ in range(2)] == [404, 404]
    assert tiny.asked == 0


def test_an_answer_is_read_before_anything_else_is_done_with_it(session: requests.Session, tiny: Tiny) -> None:
    """There is one connection: whoever looks at an answer while it is being read keeps the others waiting."""
    asked_meanwhile: list[int] = []

    def look(_: requests.Response, **__: object) -> None:
        if not asked_meanwhile:
            asked_meanwhile.append(0)
            asked_meanwhile.append(ask(session, f"{tiny.url}/api/1"))

    session.hooks["response"].append(look)
    assert ask(session, f"{tiny.url}/api/0") == 200
    assert asked_meanwhile == [0, 200]
