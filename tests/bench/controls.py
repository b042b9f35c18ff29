"""The control surfaces of all sandboxes of a row, as one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.sandbox import ControlClient
from tests.bench.task import Place


@dataclass(frozen=True, slots=True)
class Counts:
    total: int
    writes: int
    #: "METHOD route" → calls
    by_route: dict[str, int]


class Controls:
    def __init__(self, place: Place) -> None:
        self._clients: Sequence[ControlClient] = [ControlClient(url) for url in place.urls]

    def reset(self) -> None:
        """Back to the beginning, which is empty, without latency."""
        for client in self._clients:
            client.reset()

    def latency(self, milliseconds: int) -> None:
        for client in self._clients:
            client.latency(milliseconds)

    def clear_log(self) -> None:
        for client in self._clients:
            client.clear_log()

    def counts(self) -> Counts:
        """Since the logs were emptied."""
        found = [client.counts() for client in self._clients]
        routes: Counter[str] = Counter()
        for each in found:
            routes.update(each["by_route"])
        return Counts(sum(each["total"] for each in found), sum(each["writes"] for each in found), dict(routes))
