"""What exists in a workspace and no pack declares -> pack files that declare it as it is, and a plan that proves it.

Writes nothing: neither files nor rows nor anything at Databricks.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.core.actual import Found, Unreadable
from reconciler.core.desired import Desired
from reconciler.core.key import Key, Kind, PackId, normal_name, recipient_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.plan import Plan
from reconciler.core.recipient import Recipient
from reconciler.core.share import Share
from reconciler.packs.document import Metadata, PackDocument, RecipientEntry, ShareEntry
from reconciler.packs.entries import recipient_entry, share_entry
from reconciler.packs.file_names import is_pack
from reconciler.packs.reading import read_packs
from reconciler.packs.writing import to_yaml
from reconciler.ports.pack_source import PackFiles
from reconciler.ports.platform import Platform


@dataclass(frozen=True, slots=True)
class Purpose:
    """What the new packs say of themselves."""

    business_line: str
    requestor: str
    region: str
    #: Folder of the new files, relative to the repository, without a trailing slash.
    folder: str


@dataclass(frozen=True, slots=True)
class Import:
    #: Content by path.
    files: Mapping[str, bytes]
    keys: frozenset[Key]
    #: What is left alone, and why.
    left: Sequence[tuple[Key, str]] = ()


@dataclass(frozen=True, slots=True)
class _Seen:
    recipients: Mapping[str, Recipient]
    shares: Mapping[str, Share]
    left: list[tuple[Key, str]] = field(default_factory=list)


async def everything(workspace: str, platform: Platform) -> frozenset[Key]:
    recipients = await platform.names(workspace, Kind.RECIPIENT)
    shares = await platform.names(workspace, Kind.SHARE)
    return frozenset(
        [Key(Kind.RECIPIENT, name, workspace) for name in recipients]
        + [Key(Kind.SHARE, name, workspace) for name in shares]
    )


async def import_resources(
    keys: Collection[Key], desired: Desired, purpose: Purpose, workspace: str, platform: Platform
) -> Import:
    """Packs for these resources and for the recipients their shares are granted to. What a pack declares is left out;
    so is what packs cannot say, with the reason."""
    seen = await _look(keys, desired, workspace, platform)
    entries: dict[str, RecipientEntry] = {}
    undeclared = set()
    for name, recipient in seen.recipients.items():
        entry, left = recipient_entry(recipient, purpose.requestor)
        seen.left.extend((recipient_key(name, workspace), each.reason) for each in left)
        if entry is None:
            undeclared.add(name)
        else:
            entries[name] = entry
    shares = {}
    for name, share in seen.shares.items():
        shares[name], left = share_entry(share, frozenset(undeclared))
        seen.left.extend((Key(Kind.SHARE, name, workspace), each.reason) for each in left)
    files = _files(entries, shares, purpose)
    declared = [recipient_key(name, workspace) for name in entries]
    declared += [Key(Kind.SHARE, name, workspace) for name in shares]
    return Import(files, frozenset(declared), tuple(seen.left))


async def _look(keys: Collection[Key], desired: Desired, workspace: str, platform: Platform) -> _Seen:
    seen = _Seen({}, {})
    new = [key for key in keys if _is_new(key, desired, seen)]
    found = dict(await platform.observe(new))
    readers = {name for each in found.values() if isinstance(each, Found) for name in _readers(each)}
    lent = {recipient_key(name, workspace) for name in readers} - found.keys()
    found |= await platform.observe([key for key in sorted(lent) if desired.declared(key) is None])
    recipients, shares = {}, {}
    for key, observed in sorted(found.items()):
        match observed:
            case Found(Recipient() as recipient):
                recipients[key.name] = recipient
            case Found(Share() as share):
                shares[key.name] = share
            case Unreadable(reason):
                seen.left.append((key, f"it cannot be read: {reason}"))
            case _:
                seen.left.append((key, "the workspace has none of this name"))
    return replace(seen, recipients=recipients, shares=shares)


def _is_new(key: Key, desired: Desired, seen: _Seen) -> bool:
    declared = desired.declared(key)
    if declared is not None:
        seen.left.append((key, f"{declared[0]} declares it already"))
    return declared is None


def _readers(found: Found) -> frozenset[str]:
    share = found.resource
    return share.recipients if isinstance(share, Share) and share.recipients is not UNMANAGED else frozenset()


def _files(
    recipients: Mapping[str, RecipientEntry], shares: Mapping[str, ShareEntry], purpose: Purpose
) -> dict[str, bytes]:
    """One pack for each share, with the recipients that only it is granted to; one pack for all other recipients."""
    users: dict[str, set[str]] = {name: set() for name in recipients}
    for share in shares.values():
        for name in share.recipients or ():
            users.get(name, set()).add(share.name)
    files: dict[str, bytes] = {}
    for name, share in shares.items():
        own = [entry for reader, entry in recipients.items() if users[reader] == {name}]
        files[_new_path(purpose.folder, name, files)] = _pack(f"Imported share {name}", own, [share], purpose)
    common = [entry for name, entry in recipients.items() if len(users[name]) != 1]
    if common:
        files[_new_path(purpose.folder, "imported-recipients", files)] = _pack(
            "Imported recipients", common, [], purpose
        )
    return files


def _new_path(folder: str, name: str, taken: Collection[str]) -> str:
    """A path of a pack that no other new file has; different names can come to the same once odd characters go."""
    stem = "".join(each if each.isalnum() or each in "-_" else "-" for each in name).strip("-") or "share"
    path, number = f"{folder}/{stem}.yaml", 1
    while path in taken or not is_pack(path):
        number += 1
        path = f"{folder}/{stem}-{number}.yaml"
    return path


def _pack(project: str, recipients: Sequence[RecipientEntry], shares: Sequence[ShareEntry], purpose: Purpose) -> bytes:
    metadata = Metadata(
        requestor=purpose.requestor,
        project_name=project,
        business_line=purpose.business_line,
        region=purpose.region or None,
    )
    document = PackDocument(metadata=metadata, recipient=tuple(recipients), share=tuple(shares))
    return to_yaml(document).encode()


def with_imported(found: PackFiles, imported: Import, workspace: str) -> tuple[Desired, frozenset[PackId]]:
    """The packs as they would be with the new files among them, and which of them are new."""
    uncommitted = replace(found.revision, is_committed=False)
    files = {**found.files, **imported.files}
    desired = read_packs(files, uncommitted, workspace, packs_folder=found.folder)
    return desired, frozenset(pack.id for pack in desired.packs.values() if pack.path in imported.files)


def named(names: Collection[str], kind: Kind, workspace: str) -> frozenset[Key]:
    return frozenset(Key(kind, normal_name(name), workspace) for name in names)


def left_to_do(plan: Plan, imported: Import) -> list[str]:
    """What applying the new packs would change, or what stands against it; empty when they say just what is there."""
    words = [f"{step.key}: {objection.message}" for step in plan.steps for objection in step.objections]
    words += [f"{step.key} would be changed" for step in plan.steps if step.is_change]
    words += [f"{step.key} cannot be taken over" for step in plan.steps if step.is_unseen]
    missing = imported.keys - {step.key for step in plan.steps}
    return words + [f"{key} is in no plan" for key in sorted(missing)]
