"""Which calls of one pack may be made side by side. A level needs nothing but the levels before it; within one, every
order is as good as the plan's own, and so is no order at all. What the calls are is `core.lowering`'s to say."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from reconciler.core.calls import ChangeGrants, CreateRecipient, DeleteRecipient, Operation
from reconciler.core.calls import Rename as RenameCall
from reconciler.core.guard import only_removes_access
from reconciler.core.key import Key, Kind, normal_name
from reconciler.core.lowering import lower
from reconciler.core.verdict import Adopt, Create, Delete, Forget, Record, Release, Verdict


@dataclass(frozen=True, slots=True)
class Level:
    """Of each resource at most one call. In the order of the plan."""

    #: What takes a version but no call: it is recorded, forgotten or let go.
    settled: tuple[Key, ...] = ()
    operations: tuple[Operation, ...] = ()


class Part(Enum):
    """What a call has to do with who reads what."""

    #: Of a share: somebody reads less, nobody more.
    TAKES = auto()
    #: Of a recipient that stays or comes.
    READER = auto()
    #: Of a new share, before anybody may read it.
    UNREAD = auto()
    #: Of a share that somebody reads, or is to read by this.
    READ = auto()
    #: Of a recipient that goes.
    PARTS = auto()


#: What a call waits for, of the calls that the plan has before it. Access is taken before any is given; who is to read
#: is in order, also in where he may read from, before there is anything new to be read; who goes, goes last, when
#: everything else has gone well: nobody gets his token back.
NEEDS: Final[Mapping[Part, frozenset[Part]]] = {
    Part.TAKES: frozenset({Part.READER}),
    Part.READER: frozenset({Part.TAKES}),
    Part.UNREAD: frozenset({Part.TAKES}),
    Part.READ: frozenset({Part.TAKES, Part.READER}),
    Part.PARTS: frozenset(Part) - {Part.PARTS},
}


def levels(verdicts: Mapping[Key, Verdict]) -> tuple[Level, ...]:
    """`verdicts` in the order of the plan. Calls about one name, present or former, stay in that order."""
    settled: list[list[Key]] = []
    operations: list[list[Operation]] = []
    by_part = dict.fromkeys(Part, 0)
    by_name: dict[Key, int] = {}
    freed = 0
    for key, verdict in verdicts.items():
        for operation in lower(key, verdict) or _settled(verdict):
            part, names = part_of(key, verdict, operation), _names(key, verdict, operation)
            earlier = [by_part[each] for each in NEEDS[part]] + [by_name.get(name, 0) for name in names]
            # A metastore has one recipient: another one can be made for it only once the first is gone.
            earlier.append(freed if operation is not None and isinstance(operation.call, CreateRecipient) else 0)
            at = max(earlier)
            by_part[part] = max(by_part[part], at + 1)
            by_name |= dict.fromkeys(names, at + 1)
            if operation is not None and isinstance(operation.call, DeleteRecipient):
                freed = max(freed, at + 1)
            if at == len(operations):
                settled.append([])
                operations.append([])
            if operation is None:
                settled[at].append(key)
            else:
                operations[at].append(operation)
    return tuple(Level(tuple(keys), tuple(calls)) for keys, calls in zip(settled, operations, strict=True))


def part_of(key: Key, verdict: Verdict, operation: Operation | None) -> Part:
    """Of an operation, or of what takes none."""
    is_removal = isinstance(verdict, Delete | Forget | Release)
    if key.kind is Kind.RECIPIENT:
        return Part.PARTS if is_removal else Part.READER
    if is_removal or only_removes_access(verdict):
        return Part.TAKES
    is_grant = operation is None or isinstance(operation.call, ChangeGrants)
    return Part.UNREAD if isinstance(verdict, Create) and not is_grant else Part.READ


def _settled(verdict: Verdict) -> tuple[None, ...]:
    return (None,) if isinstance(verdict, Record | Adopt | Forget | Release) else ()


def _names(key: Key, verdict: Verdict, operation: Operation | None) -> tuple[Key, ...]:
    if operation is not None and isinstance(operation.call, RenameCall):
        return key, replace(key, name=normal_name(operation.call.old_name))
    if operation is None and isinstance(verdict, Record) and verdict.before is not None:
        return key, replace(key, name=verdict.before.name)
    return (key,)
