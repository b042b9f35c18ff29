"""What happened on the wire during one SDK call: the SDK's own results and errors do not tell."""

from dataclasses import dataclass, field


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
