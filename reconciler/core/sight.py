"""How one resource is seen, by a plan and by the worker's last look: under the name its record and its actual state
bear, and with what its pack does to its readers' names already done."""

from dataclasses import dataclass, replace

from reconciler.core.actual import Actual, Found, Observed
from reconciler.core.key import Key, PackId
from reconciler.core.managed import UNMANAGED
from reconciler.core.readers import Moves, observed_after, resource_after
from reconciler.core.recorded import Recorded, RecordedState
from reconciler.core.rename import follow
from reconciler.core.resource import Resource
from reconciler.core.share import Share


@dataclass(frozen=True, slots=True)
class Sight:
    row: Recorded | None
    observed: Observed
    #: It is to be renamed from this name; empty when it is not.
    renamed_from: str = ""
    #: It still bears that name.
    renames: bool = False
    #: Our rows tell another name, of it or of its readers, than is true by now.
    is_renamed: bool = False

    def rows_behind(self, pack: PackId, *, is_committed: bool) -> bool:
        """Whether the rows need a version although what they say of the resource is right."""
        if self.row is None:
            return False
        return self.is_renamed or self.row.pack != pack or (self.row.commit == "" and is_committed)


def without_contents(resource: Resource) -> Resource:
    """Once the outcome of a call is not known, neither is what the share's notebooks hold: nobody gives it back."""
    if not isinstance(resource, Share) or resource.objects is UNMANAGED:
        return resource
    return replace(resource, objects=frozenset(replace(item, content=UNMANAGED) for item in resource.objects))


def see(key: Key, old_name: str, recorded: RecordedState, actual: Actual, moved: Moves, unseen: Observed) -> Sight:
    """`unseen` is the answer for what was not looked at."""
    followed = follow(key, old_name, recorded, actual, unseen)
    row, is_there = followed.recorded, isinstance(followed.actual, Found)
    if row is not None and is_there:
        # What is gone holds no grants that could move, and no notebooks.
        row = replace(row, resource=resource_after(row.resource, key.workspace, moved))
    is_renamed = followed.is_done or row != followed.recorded
    if row is not None and is_there and key in recorded.open_intents:
        row = replace(row, resource=without_contents(row.resource))
    return Sight(
        row=row,
        observed=observed_after(followed.actual, key.workspace, moved),
        renamed_from=old_name if followed.is_due or followed.is_done else "",
        renames=followed.is_due,
        is_renamed=is_renamed,
    )
