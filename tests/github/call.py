"""A request on its way to the rule that answers it."""

from dataclasses import dataclass
from typing import Any

from tests.github.exchange import Asked, Caller, Reply, not_found
from tests.github.forms import Forms
from tests.github.paging import page
from tests.github.records import Pull
from tests.github.state import World


@dataclass(frozen=True)
class Call:
    world: World
    forms: Forms
    who: Caller
    asked: Asked
    #: What stood for the placeholders of the path.
    names: tuple[str, ...]

    def page(self, entries: list[Any]) -> Reply:
        return page(self.asked, f"{self.forms.api}{self.asked.path}", entries)

    def pull(self) -> Pull:
        found = self.world.pulls.get(int(self.names[0]))
        if found is None:
            raise not_found()
        return found
