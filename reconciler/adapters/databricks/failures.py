"""From what the SDK raises to the two failures of the port: tables by class, status and error code.

Never by message: Databricks changes its words. Whether a write may have taken effect is decided here too, and in
doubt it may; and whether anybody knows that later helps.
"""

import re
import ssl
from enum import Enum
from typing import Final

import requests
import urllib3.exceptions
from databricks.sdk import errors
from databricks.sdk.errors.base import DatabricksError

from reconciler.adapters.databricks.exchange import Exchange
from reconciler.adapters.databricks.limiter import UnreachableError
from reconciler.ports.platform import RefusedError, UnavailableError

#: What an SDK call may raise. OSError covers DatabricksError and requests' errors; ValueError failed sign-ins; the rest
#: is what the SDK's parser makes of an answer that is no Databricks answer.
RAISED: Final = (
    OSError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    NotImplementedError,
    urllib3.exceptions.HTTPError,
)

#: The only proof of absence (contract 1.6, 2.7, 4.7). A 404 with FEATURE_DISABLED, ENDPOINT_NOT_FOUND,
#: METASTORE_DOES_NOT_EXIST or from a proxy says nothing about the resource.
ABSENT: Final = frozenset({"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"})


class MissingError(RefusedError):
    """404 for the very object that was asked for, from Databricks itself; `code` says what is missing."""


class Sense(Enum):
    #: Too many requests: certainly without effect, and everybody should wait.
    THROTTLED = "throttled"
    #: Certainly without effect; later helps.
    NOT_DONE = "not done"
    #: Later helps; a write may have taken effect.
    IN_DOUBT = "in doubt"
    #: Nobody knows whether later helps; a write may have taken effect.
    UNEXPLAINED = "unexplained"
    REFUSED = "refused"


#: Limits that do not pass with time, whatever the status (contract 2.7: 400 or 429).
LASTING: Final = frozenset({"QUOTA_EXCEEDED", "RESOURCE_LIMIT_EXCEEDED", "METASTORE_LIMIT_EXCEEDED"})

#: What passes, also where the status is 500 (the SDK's `ServiceErrorCode` and `ERROR_CODE_MAPPING`, 0.156).
PASSING: Final = frozenset(
    {
        "CANCELLED",
        "DEADLINE_EXCEEDED",
        "SERVICE_UNDER_MAINTENANCE",
        "TEMPORARILY_UNAVAILABLE",
        "UNAVAILABLE",
        "WORKSPACE_TEMPORARILY_UNAVAILABLE",
    }
)

#: First match counts. 503 is in doubt although it says "unavailable": gateways answer it for requests that they had
#: passed on already. An InternalError (500) says nothing: it may be an accident, and it may come for this request
#: each time.
BY_CLASS: Final = (
    (errors.TooManyRequests, Sense.THROTTLED),
    (errors.Aborted, Sense.NOT_DONE),
    (errors.TemporarilyUnavailable, Sense.IN_DOUBT),
    (errors.DeadlineExceeded, Sense.IN_DOUBT),
    (errors.Cancelled, Sense.IN_DOUBT),
    (errors.InternalError, Sense.UNEXPLAINED),
    (errors.NotImplemented, Sense.REFUSED),
)

#: Statuses the SDK has no class for. 502 is a gateway's, as 503 and 504 are, and passes as they do.
BY_STATUS: Final = {408: Sense.IN_DOUBT, 425: Sense.NOT_DONE, 501: Sense.REFUSED, 502: Sense.IN_DOUBT}

#: Answered also by gateways and sign-in pages, in whatever form, and clear all the same.
CLEAR_IN_ANY_FORM: Final = frozenset({401, 403, 408, 425, 429, 502, 503, 504})

_UNSENT: Final = (
    requests.exceptions.ConnectTimeout,
    requests.exceptions.ProxyError,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NameResolutionError,
    urllib3.exceptions.ProxyError,
    ssl.SSLCertVerificationError,
)

#: Nobody answered, or not to the end: that passes. What else requests may raise (endless redirects, an impossible
#: address) does not by itself, and neither does a certificate that cannot be verified.
_NOBODY_ANSWERED: Final = (
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.TimeoutError,
    urllib3.exceptions.ProtocolError,
)

_LONGEST_REASON: Final = 500
_LINK: Final = re.compile(r"https?://\S*(?:activation|retrieve_config|token=)\S*", re.IGNORECASE)


def failure_of(error: BaseException, exchange: Exchange) -> UnavailableError | RefusedError:
    """The answer carries no SDK object: those may hold links, headers and tokens."""
    # The SDK's own retry budget ends in a bare TimeoutError that hides what went wrong.
    if isinstance(error, TimeoutError) and error.__cause__ is not None:
        return failure_of(error.__cause__, exchange)
    match error:
        case DatabricksError():
            return _answered(error, exchange)
        case requests.exceptions.InvalidJSONError():
            return _no_answer_of_databricks(exchange)
        case requests.exceptions.RequestException() | urllib3.exceptions.HTTPError():
            return _unreachable(error, exchange)
        case _ if exchange.attempts:
            return _no_answer_of_databricks(exchange)
        case _:
            return _not_signed_in(error, exchange)


def was_unsent(error: BaseException) -> bool:
    """No connection was made, so nothing can have happened."""
    return any(isinstance(each, _UNSENT) for each in _chain(error))


def _answered(error: DatabricksError, exchange: Exchange) -> UnavailableError | RefusedError:
    if exchange.status >= 400 and not exchange.is_json and exchange.status not in CLEAR_IN_ANY_FORM:
        return _no_answer_of_databricks(exchange)
    code, reason = error.error_code or "", _reason(error, exchange)
    request_id, sense = _request_id(error, exchange), _sense(error, code, exchange.status)
    if sense is Sense.REFUSED:
        is_missing = exchange.status == 404 and _names_absence(code)
        kind = MissingError if is_missing else RefusedError
        return kind(reason, code=code, request_id=request_id, missing=is_missing)
    return UnavailableError(
        f"{code or exchange.status}: {reason}",
        retry_after=exchange.retry_after,
        maybe_done=exchange.is_write and sense in {Sense.IN_DOUBT, Sense.UNEXPLAINED},
        throttled=sense is Sense.THROTTLED,
        understood=sense is not Sense.UNEXPLAINED,
        request_id=request_id,
    )


def _names_absence(code: str) -> bool:
    return code in ABSENT or (code.endswith("_DOES_NOT_EXIST") and code != "METASTORE_DOES_NOT_EXIST")


def _sense(error: DatabricksError, code: str, status: int) -> Sense:
    if code in LASTING:
        return Sense.REFUSED
    if code in PASSING and status != 429:
        return Sense.IN_DOUBT
    for kind, sense in BY_CLASS:
        if isinstance(error, kind):
            return sense
    return BY_STATUS.get(status, Sense.UNEXPLAINED if status >= 500 else Sense.REFUSED)


def _unreachable(error: BaseException, exchange: Exchange) -> UnavailableError:
    is_distrusted = any(isinstance(each, ssl.SSLCertVerificationError) for each in _chain(error))
    understood = isinstance(error, _NOBODY_ANSWERED) and not is_distrusted
    if not exchange.attempts or was_unsent(error):
        return UnreachableError(f"{exchange.workspace} cannot be reached: {_root_of(error)}", understood=understood)
    return UnavailableError(
        f"{exchange.workspace} gave no answer: {_root_of(error)}", maybe_done=exchange.is_write, understood=understood
    )


def _no_answer_of_databricks(exchange: Exchange) -> UnavailableError:
    return UnavailableError(
        f"{exchange.workspace} answered HTTP {exchange.status} with something that is no answer of the Databricks "
        "API. Is this the URL of a workspace, and is no proxy or sign-in page in between?",
        maybe_done=exchange.is_write and exchange.attempts > 0,
        understood=False,
        request_id=exchange.request_id,
    )


def _not_signed_in(error: BaseException, exchange: Exchange) -> UnavailableError | RefusedError:
    below = next((each for each in _chain(error) if isinstance(each, requests.exceptions.RequestException)), None)
    if below is not None:
        return _unreachable(below, exchange)
    return RefusedError(
        f"cannot sign in to {exchange.workspace}: {_one_line(str(error)) or type(error).__name__}. Check "
        "databricks_token, or databricks_client_id and databricks_client_secret",
        code="UNAUTHENTICATED",
    )


def _root_of(error: BaseException) -> str:
    """The operating system's words where there are any: those of requests hold addresses of objects in memory."""
    chain = _chain(error)
    said = [each.strerror for each in chain if isinstance(each, OSError) and each.strerror]
    return _one_line(said[-1]) if said else type(chain[-1]).__name__


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what lies under it: requests and urllib3 put that into `args` and `reason`."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop()
        if isinstance(each, BaseException) and each not in found:
            found.append(each)
            waiting += [each.__context__, each.__cause__, getattr(each, "reason", None), *reversed(each.args)]
    return found


def _request_id(error: DatabricksError, exchange: Exchange) -> str:
    information = error.get_error_details().request_info
    return exchange.request_id or (information.request_id if information else "")


def _reason(error: DatabricksError, exchange: Exchange) -> str:
    text = str(error)
    return _one_line(text.removesuffix(exchange.suffix)) or f"HTTP {exchange.status} without a reason"


def _one_line(text: str) -> str:
    """The first line: where the SDK cannot parse an answer, request and answer follow in the next ones."""
    line = _LINK.sub("[link removed]", text.strip().partition("\n")[0]).strip()
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 1] + "…"
