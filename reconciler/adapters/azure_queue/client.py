"""What the Azure SDK is told, and how its failures become ours. No text of the SDK passes: its messages can repeat
addresses, headers and a shared access signature, so failures are told in our words, with status and error code only."""

import asyncio
import logging
import re
from collections.abc import Awaitable
from typing import Any, TypeVar

from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from reconciler.ports.doorbell import DoorbellUnavailableError

_T = TypeVar("_T")

#: The newest version the SDK knows is not known to Azurite nor to clouds that lag behind. All we use, messages that
#: never expire included (2017-07-29), is older than this one.
API_VERSION = "2019-07-07"

#: Seconds one request may take with its retries. A queue that is down costs this much at most, one that refuses
#: connections about half a second; the SDK's own defaults are minutes.
BUDGET = 3.0
_RETRIES: dict[str, Any] = {"retry_total": 2, "initial_backoff": 0.25, "increment_base": 0, "random_jitter_range": 0.1}
_TIMEOUTS: dict[str, Any] = {"connection_timeout": 2, "read_timeout": 3}

#: Answers that say: the message is gone, or somebody else holds it by now.
_LOST = frozenset({"MessageNotFound", "PopReceiptMismatch"})
_MISSING = frozenset({"QueueNotFound"})
#: A shared access signature may well be allowed to use a queue and not to create one.
_GOOD_AS_CREATED = frozenset(
    {"QueueAlreadyExists", "AuthorizationPermissionMismatch", "AuthorizationResourceTypeMismatch"}
)

#: Azure's rule, with room for the suffix of the poison queue within its 63 characters.
_QUEUE_NAME = re.compile(r"(?=.{3,56}\Z)[a-z0-9]+(-[a-z0-9]+)*")


class DeliveryLostError(DoorbellUnavailableError):
    """The delivery is no longer ours: settled, expired or given to somebody else."""


class QueueMissingError(DoorbellUnavailableError):
    """The queue does not exist (any more)."""


def connect(connection_string: str) -> QueueServiceClient:
    """Opens no connection yet. Raises ValueError, without the string, when it can never work."""
    # The SDK logs bodies that it cannot read with a traceback, and headers when debugging is on.
    logging.getLogger("azure").setLevel(logging.CRITICAL)
    try:
        return QueueServiceClient.from_connection_string(
            connection_string, api_version=API_VERSION, **_RETRIES, **_TIMEOUTS
        )
    except (ValueError, AzureError):
        pass
    raise ValueError(
        "The Azure Storage connection string cannot be read. It looks like "
        "DefaultEndpointsProtocol=https;AccountName=…;AccountKey=…;EndpointSuffix=core.windows.net"
    )


def check_queue_name(name: str) -> None:
    if not _QUEUE_NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is not a queue name: 3 to 56 lower-case letters, digits and single hyphens between them"
        )


async def request(intent: str, call: Awaitable[_T]) -> _T:
    """The outcome of one SDK call. `intent` completes "Azure Storage Queue …: cannot <intent>"."""
    try:
        async with asyncio.timeout(BUDGET):
            return await call
    except HttpResponseError as error:
        failure = _refused(intent, error)
    except TimeoutError:
        failure = DoorbellUnavailableError(f"Azure Storage Queue: cannot {intent}: no answer within {BUDGET:g} s")
    except (AzureError, OSError, ValueError) as error:
        # ValueError: an address that is none, or a transport that was closed meanwhile.
        failure = DoorbellUnavailableError(f"Azure Storage Queue: cannot {intent}: {type(error).__name__}")
    # Outside of the handlers, so that the SDK's exception is not attached as the context either.
    raise failure


def _refused(intent: str, error: HttpResponseError) -> DoorbellUnavailableError:
    code = _code(error) or "no error code"
    text = f"Azure Storage Queue: cannot {intent}: HTTP {error.status_code or 'error'}, {code}"
    if code in _LOST:
        return DeliveryLostError(text)
    if code in _MISSING:
        return QueueMissingError(text)
    return DoorbellUnavailableError(text)


def _code(error: HttpResponseError) -> str:
    """The service's error code; empty when there is none or it is no plain word."""
    code = getattr(error, "error_code", None)
    text = str(getattr(code, "value", code) or "")
    return text if re.fullmatch(r"[A-Za-z]{1,80}", text) else ""


async def create(queue: QueueClient) -> None:
    """Creates the queue where it is missing."""
    await request(f"create the queue {queue.queue_name}", _create(queue))


async def _create(queue: QueueClient) -> None:
    try:
        await queue.create_queue()
    except HttpResponseError as error:
        if _code(error) not in _GOOD_AS_CREATED:
            raise
