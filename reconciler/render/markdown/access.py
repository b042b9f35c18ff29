"""Who gains and who loses what, a sentence for each recipient: the first thing a reviewer reads, and never cut."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from reconciler.core.access import AccessChange, share_states
from reconciler.core.key import Key, recipient_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.plan import Plan, Step
from reconciler.core.recipient import Recipient, is_open
from reconciler.core.share import ObjectType, SharedObject
from reconciler.core.verdict import Adopt, Create, Keep, Record, Rename, Replace, Update
from reconciler.render.access_text import access_of, change_sign, deed, effective, short_workspace
from reconciler.render.element_text import counted
from reconciler.render.markdown.escape import code, prose, strong
from reconciler.render.people import People, people, who

#: Names in one line; more are put below it, by schema.
_INLINE: Final = 6
_GAIN: Final = "\N{HEAVY PLUS SIGN}"
_LOSS: Final = "\N{HEAVY MINUS SIGN}"
_OTHERWISE: Final = "🔀"
_SIGNS: Final = {"+": _GAIN, "-": _LOSS, "~": _OTHERWISE}
_SCHEMA: Final = "whole schema"
_PART: Final = "reads another part of"


@dataclass(frozen=True, slots=True)
class Access:
    """What a plan does to access, for all the texts that tell of it."""

    #: By workspace; only those with any.
    changes: Mapping[str, tuple[AccessChange, ...]]
    #: What each object is, by workspace and name.
    kinds: Mapping[tuple[str, str], str]
    known: People
    recipients: Mapping[Key, Step]

    def beyond(self, other: "Access") -> "Access":
        """Without what `other` says as well."""
        more = {
            workspace: tuple(each for each in changes if each not in other.changes.get(workspace, ()))
            for workspace, changes in self.changes.items()
        }
        return replace(self, changes={workspace: changes for workspace, changes in more.items() if changes})

    def all(self) -> Iterator[AccessChange]:
        for changes in self.changes.values():
            yield from changes

    @property
    def gaining(self) -> int:
        return sum(bool(change.gains) for change in self.all())

    @property
    def losing(self) -> int:
        return sum(bool(change.loses) for change in self.all())

    @property
    def otherwise(self) -> int:
        """Recipients that only read another part of what they read anyway."""
        return sum(not change.gains and not change.loses for change in self.all())


def access(plan: Plan) -> Access:
    steps = list(plan.steps)
    return Access(
        {workspace: changes for workspace, changes in access_of(steps).items() if changes},
        dict(_kinds(steps)),
        people(plan),
        {step.key: step for step in steps if isinstance(_recipient(step), Recipient)},
    )


def access_sentences(found: Access, *, only_drift: bool = False) -> Iterator[str]:
    """A list item for each recipient: what files ask for, then what only undoes somebody's hand; gains first."""
    for workspace, changes in found.changes.items():
        told = [change for change in changes if change.is_drift or not only_drift]
        if told and len(found.changes) > 1:
            yield f"\nIn workspace {code(short_workspace(workspace))}:\n"
        for change in sorted(told, key=lambda each: (each.is_drift, not each.gains)):
            yield "\n".join(_sentence(found, workspace, change))


def access_counts(found: Access) -> Iterator[str]:
    """The same with numbers for names."""
    for workspace, changes in found.changes.items():
        for change in changes:
            parts = (("gains", change.gains), ("loses", change.loses), ("reads otherwise", change.reads_otherwise))
            said = ", ".join(f"{verb} {_count(found, workspace, names)}" for verb, names in parts if names)
            yield f"- {strong(change.recipient)} {said}"


def _sentence(found: Access, workspace: str, change: AccessChange) -> Iterator[str]:
    parts = [
        (_gain(found, workspace, change), change.gains),
        (f"**loses** {_count(found, workspace, change.loses)}", change.loses),
        (_PART, change.reads_otherwise),
    ]
    said = [_with_names(found, workspace, words, names) for words, names in parts if names]
    after = ", and then reads nothing" if change.loses and not change.reads_after else ""
    hand = f" _(undoes what was {deed(change)} by hand)_" if change.is_drift else ""
    described = ", ".join(_described(found, workspace, change.recipient))
    yield f"- {_SIGNS[change_sign(change)[0]]} {strong(change.recipient)} ({described}) {'; '.join(said)}{after}{hand}"
    for sign, names in ((_GAIN, change.gains), (_LOSS, change.loses), (_OTHERWISE, change.reads_otherwise)):
        if len(names) > _INLINE:
            yield from _by_schema(found, workspace, sign, names)


def _gain(found: Access, workspace: str, change: AccessChange) -> str:
    is_first = len(change.gains) == change.reads_after
    return f"**will be able to read** {_count(found, workspace, change.gains, '' if is_first else 'more ')}"


def _with_names(found: Access, workspace: str, words: str, names: Sequence[str]) -> str:
    if len(names) > _INLINE:
        return f"{words} {len(names):,} data objects" if words == _PART else words
    listed = ", ".join(f"{code(name)}{_all_of(found, workspace, name)}" for name in names)
    return f"{words} {listed}" if words == _PART else f"{words}: {listed}"


def _all_of(found: Access, workspace: str, name: str) -> str:
    return " (with all that is added to it later)" if found.kinds.get((workspace, name)) == _SCHEMA else ""


def _by_schema(found: Access, workspace: str, sign: str, names: Sequence[str]) -> Iterator[str]:
    schemas: dict[str, list[str]] = {}
    for name in names:
        schema, dot, last = name.rpartition(".")
        is_within = dot and "." in schema
        listed = f"{code(last if is_within else name)}{_all_of(found, workspace, name)}"
        schemas.setdefault(schema if is_within else "", []).append(listed)
    for schema, listed_there in schemas.items():
        yield f"  - {sign} {f'in {code(schema)}: ' if schema else ''}{', '.join(listed_there)}"


def _count(found: Access, workspace: str, names: Sequence[str], more: str = "") -> str:
    """`3 more tables`, `4 more data objects (3 tables, 1 view)`."""
    kinds = Counter(found.kinds.get((workspace, name), "data object") for name in names)
    if len(kinds) == 1:
        noun = next(iter(kinds))
        return f"{len(names):,} {more}{noun if len(names) == 1 else f'{noun}s'}"
    each = ", ".join(counted(count, noun) for noun, count in kinds.most_common())
    return f"{len(names):,} {more}data objects ({each})"


def _described(found: Access, workspace: str, name: str) -> Iterator[str]:
    yield prose(who(name, workspace, found.known))
    step = found.recipients.get(recipient_key(name, workspace))
    recipient = None if step is None else _recipient(step)
    if step is None or recipient is None:
        return
    if isinstance(step.verdict, Create | Replace):
        yield "**new**"
    if is_open(recipient.authentication):
        addresses = frozenset() if recipient.allowed_ips is UNMANAGED else recipient.allowed_ips
        yield f"from {counted(len(addresses), 'address range')}" if addresses else "**from any address**"


def _recipient(step: Step) -> Recipient | None:
    """As it will be."""
    match effective(step):
        case Create(Recipient() as after) | Keep(Recipient() as after) | Record(_, Recipient() as after):
            return after
        case (
            Update(Recipient() as before, Recipient() as after)
            | Adopt(Recipient() as before, Recipient() as after)
            | Rename(Recipient() as before, Recipient() as after)
        ):
            return before if after.allowed_ips is UNMANAGED else after
        case Replace(_, Recipient() as after):
            return after
        case _:
            return None


def _kinds(steps: Iterable[Step]) -> Iterator[tuple[tuple[str, str], str]]:
    for step in steps:
        for share in (each for side in share_states(effective(step)) for each in side):
            for item in () if share.objects is UNMANAGED else share.objects:
                yield (step.key.workspace, item.name), _kind(item)


def _kind(item: SharedObject) -> str:
    match item.type:
        case ObjectType.SCHEMA:
            return _SCHEMA
        case ObjectType():
            return item.type.words
        case _:
            return _SCHEMA if item.name.count(".") == 1 else "data object"
