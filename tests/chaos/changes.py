"""Random valid changes of the packs: each is a commit a person could make. None of them knows what the product does."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

from tests.chaos.landscape import LINES, PROJECTS, TABLES, Entry, Landscape, line_of, new_pack

#: Answers what was done in a few words, empty when there was nothing to do it to.
Change = Callable[[Landscape, Random], str]


def a_beginning(chance: Random) -> Landscape:
    """One pack in each business line, with something in it."""
    landscape = Landscape()
    for line in LINES:
        path, document = new_pack(line, PROJECTS[0])
        landscape.packs[path] = document
        for _ in range(2):
            _add_recipient_to(landscape, path, chance)
        for _ in range(2):
            _add_share_to(landscape, path, chance)
    return landscape


def change(landscape: Landscape, chance: Random) -> str:
    """Makes one change in place; answers its words."""
    names, weights = zip(*((name, weight) for name, (_, weight) in CHANGES.items()), strict=True)
    while True:
        name = chance.choices(names, weights)[0]
        words = CHANGES[name][0](landscape, chance)
        if words:
            return f"{name}: {words}"


def _add_pack(landscape: Landscape, chance: Random) -> str:
    there = {(line_of(document), document["metadata"]["project_name"]) for document in landscape.packs.values()}
    free = [(line, project) for line in LINES for project in PROJECTS if (line, project) not in there]
    if not free:
        return ""
    path, document = new_pack(*chance.choice(free))
    landscape.packs[path] = document
    _add_recipient_to(landscape, path, chance)
    _add_share_to(landscape, path, chance)
    return path


def _remove_pack(landscape: Landscape, chance: Random) -> str:
    if len(landscape.packs) <= len(LINES):
        return ""
    path = chance.choice(sorted(landscape.packs))
    for entry in landscape.packs.pop(path)["recipient"]:
        _forget_reader(landscape, entry["name"])
    landscape.broken.discard(path)
    return path


def _move_file(landscape: Landscape, chance: Random) -> str:
    path = chance.choice(sorted(set(landscape.packs) - landscape.broken) or [""])
    folder, _, name = path.partition("/")
    target = f"{folder}/{name.removesuffix('.yaml')}-moved.yaml" if "-moved" not in name else path.replace("-moved", "")
    if not path or target in landscape.packs:
        return ""
    landscape.packs[target] = landscape.packs.pop(path)
    return f"{path} to {target}"


def _add_recipient(landscape: Landscape, chance: Random) -> str:
    return _add_recipient_to(landscape, chance.choice(sorted(landscape.packs)), chance)


def _add_recipient_to(landscape: Landscape, path: str, chance: Random) -> str:
    line = line_of(landscape.packs[path])
    names, metastores = landscape.free_names("recipient", line), landscape.free_metastores(line)
    if metastores and chance.random() < 0.3:
        name, metastore = chance.choice(metastores)
        entry: Entry = {"name": name, "type": "D2D", "metastore_id": metastore}
    elif names:
        entry = {"name": chance.choice(names), "type": "D2O", "email": "partner@example.com"}
        if chance.random() < 0.5:
            entry["allowed_ips"] = _addresses(chance)
    else:
        return ""
    if chance.random() < 0.7:
        entry["comment"] = _words(chance)
    if chance.random() < 0.4:
        entry["properties"] = {"region": chance.choice(("north", "south"))}
    landscape.packs[path]["recipient"].append(entry)
    return str(entry["name"])


def _remove_recipient(landscape: Landscape, chance: Random) -> str:
    found = list(landscape.entries("recipient"))
    if len(found) < 3:
        return ""
    path, entry = chance.choice(found)
    landscape.packs[path]["recipient"].remove(entry)
    _forget_reader(landscape, entry["name"])
    return str(entry["name"])


def _change_recipient(landscape: Landscape, chance: Random) -> str:
    found = [entry for _, entry in landscape.entries("recipient")]
    if not found:
        return ""
    entry = chance.choice(found)
    # Managed once, managed for good: what a file stops to mention stays as it is, and that is no business of this test.
    name = chance.choice([name for name in ("comment", "allowed_ips", "properties") if name in entry] or ["comment"])
    values: Mapping[str, Any] = {
        "comment": _words(chance),
        "allowed_ips": _addresses(chance),
        "properties": {"region": chance.choice(("north", "south", "east", "west")), "tier": str(chance.randrange(9))},
    }
    entry[name] = values[name]
    return f"{name} of {entry['name']}"


def _add_share(landscape: Landscape, chance: Random) -> str:
    return _add_share_to(landscape, chance.choice(sorted(landscape.packs)), chance)


def _add_share_to(landscape: Landscape, path: str, chance: Random) -> str:
    line = line_of(landscape.packs[path])
    names, readers = landscape.free_names("share", line), landscape.readers_for(line)
    if not names:
        return ""
    entry: Entry = {
        "name": chance.choice(names),
        "recipients": chance.sample(readers, min(len(readers), chance.randint(0, 3))),
        "data_objects": [_object(name, chance) for name in chance.sample(TABLES, chance.randint(1, 5))],
    }
    if chance.random() < 0.7:
        entry["comment"] = _words(chance)
    landscape.packs[path]["share"].append(entry)
    return str(entry["name"])


def _remove_share(landscape: Landscape, chance: Random) -> str:
    found = list(landscape.entries("share"))
    if len(found) < 3:
        return ""
    path, entry = chance.choice(found)
    landscape.packs[path]["share"].remove(entry)
    return str(entry["name"])


def _share_comment(landscape: Landscape, chance: Random) -> str:
    entry = _a_share(landscape, chance)
    if entry:
        entry["comment"] = _words(chance)
    return str(entry.get("name", ""))


def _add_object(landscape: Landscape, chance: Random) -> str:
    entry = _a_share(landscape, chance)
    free = sorted(set(TABLES) - {name_of(item) for item in entry.get("data_objects", ())})
    if not entry or not free:
        return ""
    name = chance.choice(free)
    entry["data_objects"].append(_object(name, chance))
    return f"{name} to {entry['name']}"


def _remove_object(landscape: Landscape, chance: Random) -> str:
    entry = _a_share(landscape, chance)
    if not entry or not entry["data_objects"]:
        return ""
    gone = entry["data_objects"].pop(chance.randrange(len(entry["data_objects"])))
    return f"{name_of(gone)} from {entry['name']}"


def _change_object(landscape: Landscape, chance: Random) -> str:
    entry = _a_share(landscape, chance)
    options = [item for item in entry.get("data_objects", ()) if isinstance(item, dict)]
    if not options:
        return ""
    item = chance.choice(options)
    item["comment"] = _words(chance)
    return f"{item['name']} in {entry['name']}"


def _grant(landscape: Landscape, chance: Random) -> str:
    found = list(landscape.entries("share"))
    path, entry = chance.choice(found) if found else ("", {})
    free = (
        sorted(set(landscape.readers_for(line_of(landscape.packs[path]))) - set(entry["recipients"])) if entry else []
    )
    if not free:
        return ""
    name = chance.choice(free)
    entry["recipients"].append(name)
    return f"{entry['name']} to {name}"


def _revoke(landscape: Landscape, chance: Random) -> str:
    entry = _a_share(landscape, chance)
    if not entry or not entry["recipients"]:
        return ""
    name = entry["recipients"].pop(chance.randrange(len(entry["recipients"])))
    return f"{entry['name']} from {name}"


def _rename_share(landscape: Landscape, chance: Random) -> str:
    return _rename(landscape, chance, "share")


def _rename_recipient(landscape: Landscape, chance: Random) -> str:
    return _rename(landscape, chance, "recipient")


def _rename(landscape: Landscape, chance: Random, kind: str) -> str:
    found = [each for each in landscape.entries(kind) if each[1].get("type") != "D2D"]
    path, entry = chance.choice(found) if found else ("", {})
    names = landscape.free_names(kind, line_of(landscape.packs[path])) if entry else []
    if not names:
        return ""
    old, new = entry["name"], chance.choice(names)
    entry |= {"name": new, "renamed_from": old}
    if kind == "recipient":
        _forget_reader(landscape, old, new)
    return f"{old} to {new}"


def _forget_old_names(landscape: Landscape, _chance: Random) -> str:
    """Once a rename is done the word may go. It is not known here whether it is done: then it is a new resource."""
    entries = [entry for kind in ("recipient", "share") for _, entry in landscape.entries(kind)]
    gone = [entry.pop("renamed_from") for entry in entries if "renamed_from" in entry]
    return ", ".join(gone)


def _move(landscape: Landscape, chance: Random) -> str:
    """To another pack of the same business line."""
    kind = chance.choice(("recipient", "share"))
    found = list(landscape.entries(kind))
    path, entry = chance.choice(found) if found else ("", {})
    line = line_of(landscape.packs[path]) if entry else ""
    others = [other for other in sorted(landscape.packs) if other != path and line_of(landscape.packs[other]) == line]
    if not others:
        return ""
    target = chance.choice(others)
    landscape.packs[path][kind].remove(entry)
    landscape.packs[target][kind].append(entry)
    return f"{entry['name']} to {target}"


def _break(landscape: Landscape, chance: Random) -> str:
    path = chance.choice(sorted(landscape.packs))
    landscape.broken.add(path)
    return path


def _mend(landscape: Landscape, _chance: Random) -> str:
    words = ", ".join(sorted(landscape.broken))
    landscape.broken.clear()
    return words


#: With how often each is drawn.
CHANGES: Final[Mapping[str, tuple[Change, int]]] = {
    "add pack": (_add_pack, 3),
    "remove pack": (_remove_pack, 2),
    "move file": (_move_file, 1),
    "add recipient": (_add_recipient, 4),
    "remove recipient": (_remove_recipient, 3),
    "change recipient": (_change_recipient, 4),
    "add share": (_add_share, 5),
    "remove share": (_remove_share, 3),
    "comment a share": (_share_comment, 3),
    "add object": (_add_object, 6),
    "remove object": (_remove_object, 5),
    "change object": (_change_object, 2),
    "grant": (_grant, 6),
    "revoke": (_revoke, 5),
    "rename share": (_rename_share, 2),
    "rename recipient": (_rename_recipient, 2),
    "forget old names": (_forget_old_names, 1),
    "move to another pack": (_move, 2),
    "break file": (_break, 2),
    "mend files": (_mend, 6),
}


def name_of(item: str | Entry) -> str:
    return item if isinstance(item, str) else str(item["name"])


def _a_share(landscape: Landscape, chance: Random) -> Entry:
    found = [entry for _, entry in landscape.entries("share")]
    return chance.choice(found) if found else {}


def _forget_reader(landscape: Landscape, name: str, new: str = "") -> None:
    """In every share; with a new name, that takes its place."""
    for _, entry in landscape.entries("share"):
        if name in entry["recipients"]:
            entry["recipients"].remove(name)
            entry["recipients"] += [new] if new else []


def _object(name: str, chance: Random) -> str | Entry:
    return name if chance.random() < 0.7 else {"name": name, "comment": _words(chance)}


def _addresses(chance: Random) -> list[str]:
    return [f"203.0.113.{number}" for number in chance.sample(range(256), chance.randint(1, 3))]


def _words(chance: Random) -> str:
    return f"{chance.choice(('Monthly', 'Weekly', 'Old', 'New'))} {chance.randrange(10_000)}"
