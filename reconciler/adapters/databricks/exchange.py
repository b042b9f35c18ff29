"""What happened on the wire during one SDK call: the SDK's own results and errors do not tell."""

from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.ports.platform import RefusedError, UnavailableError


class Outcome(StrEnum):
    """What came of one request (`Platform.outcomes`)."""

    DONE = "done"
    REFUSED = "refused"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One SDK call, which may be several requests (pages, retries). Lives in the thread of the call."""

    workspace: str
    is_write: bool
    #: Seconds the SDK may still spend waiting between attempts.
    patience: float
    #: Requests handed to the network.
    attempts: int = 0
    #: Of the last answer; 0 when there was none.
    status: int = 0
    is_json: bool = False
    request_id: str = ""
    #: Seconds, as the last answer asked.
    retry_after: float | None = None
    #: What the SDK appends to 401 and 403 messages: its configuration.
    suffix: str = field(default="", repr=False)

    def asks(self) -> None:
        self.attempts += 1
        self.status, self.is_json, self.request_id, self.retry_after = 0, False, "", None

    @property
    def came_to(self) -> Outcome:
        """Of the last request, where no failure tells it better: a page before the next one, a read to be repeated."""
        match self.status:
            case 429:
                return Outcome.THROTTLED
            case 0 | 408 | 425:
                return Outcome.UNAVAILABLE
            case status if status < 400:
                return Outcome.DONE
            case status:
                return Outcome.REFUSED if status < 500 else Outcome.UNAVAILABLE


def outcome_of(failure: UnavailableError | RefusedError) -> Outcome:
    match failure:
        case RefusedError():
            return Outcome.REFUSED
        case UnavailableError(throttled=True):
            return Outcome.THROTTLED
        case UnavailableError(maybe_done=True):
            return Outcome.UNKNOWN
        case _:
            return Outcome.UNAVAILABLE
