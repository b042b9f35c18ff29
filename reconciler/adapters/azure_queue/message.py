"""The text of a queue message: `{"v":1,"work_id":"<uuid>"}`, plain JSON without base64. Unknown keys are allowed, so
that a later program can say more; another version is not, because its `work_id` may mean something else."""

import json
from dataclasses import dataclass
from uuid import UUID

VERSION = 1

#: What `AzureQueueDoorbell.check` sends. Should it ever be delivered, it is deleted and nothing else.
CHECK = '{"v":1,"check":true}'

#: A message holds at most 64 KiB. JSON writes one character in at most 12 bytes, so these two always fit.
MAX_PAYLOAD = 4_000
MAX_REASON = 1_000


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a text is not a message of ours. Never repeats the text, which anybody may have written."""

    reason: str


def encode(work_id: UUID) -> str:
    return json.dumps({"v": VERSION, "work_id": str(work_id)}, separators=(",", ":"))


def decode(text: str) -> UUID | Unreadable:
    try:
        # ValueError: not JSON, or a number of more digits than Python reads. RecursionError: nested too deep.
        document = json.loads(text)
    except (ValueError, RecursionError):
        return Unreadable("the text is not JSON")
    if not isinstance(document, dict):
        return Unreadable("the text is not a JSON object")
    if type(version := document.get("v")) is not int or version != VERSION:
        return Unreadable(f"the message is not of version {VERSION}")
    return _uuid(document.get("work_id"))


def _uuid(value: object) -> UUID | Unreadable:
    """Only the usual form: UUID() itself also takes braces, `urn:uuid:` and no hyphens."""
    try:
        if isinstance(value, str) and str(found := UUID(value)) == value.lower():
            return found
    except ValueError:
        pass
    return Unreadable("work_id is not a UUID")


def encode_parked(payload: str, reason: str, deliveries: int) -> str:
    """What lies in the poison queue: `{"v":1,"reason":…,"deliveries":n,"truncated":bool,"payload":…}`.

    The payload is the text as it was delivered, cut to MAX_PAYLOAD characters; put back into the queue it rings again.
    """
    document = {
        "v": VERSION,
        "reason": reason[:MAX_REASON],
        "deliveries": deliveries,
        "truncated": len(payload) > MAX_PAYLOAD,
        "payload": payload[:MAX_PAYLOAD],
    }
    return json.dumps(document, separators=(",", ":"))
