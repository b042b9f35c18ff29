"""From credentials to the library's way of asking; an App's installation is looked up here, and its tokens renewed by
the library. Everything blocks, and raises what the library raises."""

import logging
from typing import Final, assert_never
from urllib.parse import urlsplit

from github import Auth, Github
from github.Requester import Requester

from reconciler.adapters.github.credentials import App, Credentials, Token

#: Seconds to wait for a connection, and between two parts of an answer.
TIMEOUT: Final = 15

#: Seconds between two requests, and between two that write, as GitHub asks for:
#: https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
_GENTLE: Final = (0.05, 1.0)
_UNHURRIED_HOSTS: Final = (".github.com", ".ghe.com")

VERSION: Final = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


class _Quiet(logging.Filter):
    """It logs requests and the bodies of answers: the token of an installation is one. An application may turn every
    level on, so a level would not do. What goes wrong arrives as a failure."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - nothing of it is for a log
        return False


for _name in ("github.Requester", "github.GithubRetry"):
    logging.getLogger(_name).addFilter(_Quiet())


def sign_in(credentials: Credentials, api_url: str, repository: str) -> Requester:
    match credentials:
        case Token(value):
            return _requester(Auth.Token(value), api_url)
        case App(id=app, private_key=key, installation=known):
            auth = Auth.AppAuth(app, key)
            installation = known or _installation(_requester(auth, api_url), repository)
            return _requester(auth.get_installation_auth(installation), api_url)
        case _:
            assert_never(credentials)


def _installation(requester: Requester, repository: str) -> int:
    _, found = requester.requestJsonAndCheck("GET", f"/repos/{repository}/installation", headers=dict(VERSION))
    return int(found["id"])


def _requester(auth: Auth.Auth, api_url: str) -> Requester:
    host = urlsplit(api_url).hostname or ""
    between, between_writes = _GENTLE if host.endswith(_UNHURRIED_HOSTS) else (None, None)
    return Github(
        auth=auth,
        base_url=api_url,
        timeout=TIMEOUT,
        user_agent="sharepack",
        # What may be asked again, and for how long, is decided by the caller.
        retry=None,
        seconds_between_requests=between,
        seconds_between_writes=between_writes,
    ).requester
