"""What goes wrong on purpose: each fault strikes a number of matching requests and is gone."""

from dataclasses import dataclass


@dataclass
class Fault:
    """`status` 0 with `is_dropped`: the connection ends without an answer."""

    method: str
    #: A part of the path.
    where: str
    status: int = 500
    message: str = "Server Error"
    headers: tuple[tuple[str, str], ...] = ()
    #: Seconds before anything happens.
    delay: float = 0.0
    is_dropped: bool = False
    #: What was asked for is done first.
    is_after: bool = False
    times: int = 1
    #: The body instead of GitHub's JSON.
    text: str | None = None

    def matches(self, method: str, path: str) -> bool:
        return self.times > 0 and self.where in path and self.method in {"", method}

    @property
    def only_slows(self) -> bool:
        return self.status == 0 and not self.is_dropped
