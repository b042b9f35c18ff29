"""What became of a request that was not answered as asked: in words without secrets, and whether it may work later."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from github import GithubException

from reconciler.ports.pull_requests import PullRequestsError

#: Seconds, where a secondary limit does not say.
#: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
_SECONDARY_PAUSE: Final = 60.0
_LONGEST_WORDS: Final = 300
_ADVICE: Final[Mapping[int, str]] = {
    401: "Check the token, or the id and the private key of the App.",
    404: "Check the name; a token that may not see something is told that it does not exist.",
}


class RefusedError(PullRequestsError):
    """GitHub has answered, and will not do it."""

    def __init__(self, what: str, advice: str = "", *, status: int) -> None:
        super().__init__(what, advice)
        self.status = status


class UnheardError(PullRequestsError):
    """No answer, or that of a server in trouble: what was asked for may have been done all the same."""


@dataclass(frozen=True, slots=True)
class Failure:
    """`status` is 0 when there was no answer."""

    status: int
    words: str
    advice: str = ""
    #: Seconds to wait before any other request, when GitHub asks for that.
    pause: float | None = None

    @property
    def was_refused_unseen(self) -> bool:
        """A limit turned it away: it has had no effect."""
        return self.pause is not None

    @property
    def is_passing(self) -> bool:
        return self.pause is not None or self.status == 0 or self.status >= 500

    def error(self, intent: str) -> PullRequestsError:
        """`intent` completes "cannot …"."""
        what = f"GitHub: cannot {intent}: {self.words}."
        if self.was_refused_unseen:
            return PullRequestsError(what, self.advice, is_passing=True)
        if self.is_passing:
            return UnheardError(what, self.advice, is_passing=True)
        return RefusedError(what, self.advice, status=self.status)


def no_answer(error: Exception) -> Failure:
    """An OSError, as all the HTTP library raises are."""
    return Failure(0, f"no answer ({type(error).__name__})", "Check the network and GITHUB_API_URL.")


def cannot_be_asked(error: Exception) -> Failure:
    """Found out on this side of the network: a key that is none, an answer of some other kind of server."""
    return Failure(400, type(error).__name__, "Check GITHUB_API_URL, and the private key of the App if there is one.")


def refused(error: GithubException, secrets: tuple[str, ...]) -> Failure:
    headers = {str(name).lower(): str(value) for name, value in (error.headers or {}).items()}
    words = _words(error, secrets)
    pause = _pause(error.status, headers, words)
    if pause is not None:
        return Failure(error.status, f"HTTP {error.status}, {words}", f"It asks to wait {pause:.0f} s.", pause)
    advice = _ADVICE.get(error.status, "")
    if error.status == 403:
        needed = headers.get("x-accepted-github-permissions", "")
        is_plain = re.fullmatch(r"[a-z_]+=[a-z]+(?:[,;] ?[a-z_]+=[a-z]+)*", needed)
        advice = f"The token or App lacks a permission{f': {needed}' if is_plain else ''}."
    return Failure(error.status, f"HTTP {error.status}, {words}", advice)


def _pause(status: int, headers: Mapping[str, str], words: str) -> float | None:
    if status not in {403, 429}:
        return None
    if (after := headers.get("retry-after", "")).isdecimal():
        return float(after)
    if headers.get("x-ratelimit-remaining") == "0" and (reset := headers.get("x-ratelimit-reset", "")).isdecimal():
        # The reset is in whole seconds.
        return max(0.0, float(reset) - time.time()) + 1.0
    return _SECONDARY_PAUSE if status == 429 or "rate limit" in words.lower() else None


def _words(error: GithubException, secrets: tuple[str, ...]) -> str:
    data = error.data if isinstance(error.data, dict) else {}
    said = [str(data.get("message") or "no reason given"), *_details(data.get("errors"))]
    text = " ".join("; ".join(said).split())
    for secret in secrets:
        text = text.replace(secret, "[removed]")
    return text[:_LONGEST_WORDS].rstrip(".")


def _details(errors: Any) -> list[str]:
    found = [each for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []
    return [str(each.get("message") or f"{each.get('field')} {each.get('code')}") for each in found]
