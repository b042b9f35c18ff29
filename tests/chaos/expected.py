"""What the head of Git says against what is there, compared with code of this test and not of the product. Fields that
are contested are left out, and counted by whoever asks."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from tests.chaos.changes import name_of

#: `share/NAME comment` and the like: what differs may, there.
Excepted = Collection[tuple[str, str]]


def differences(
    declared: Mapping[str, Mapping[str, Any]], there: Mapping[str, Mapping[str, Any]], excepted: Excepted = ()
) -> Iterator[str]:
    """One line each, none when the workspace is as declared. `there` is without what is foreign."""
    for key in sorted(declared.keys() | there.keys()):
        if (key, "existence") in excepted:
            continue
        if key not in declared:
            yield f"{key} is there, and no pack declares it"
        elif key not in there:
            yield f"{key} is declared, and not there"
        else:
            for field, wanted, found in _fields(key, declared[key], there[key]):
                if wanted != found and not _is_excepted(key, field, excepted):
                    yield f"{key} {field}: declared {wanted!r}, found {found!r}"


def _fields(key: str, declared: Mapping[str, Any], there: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Only what the pack manages, as (field, wanted, found)."""
    if "comment" in declared:
        yield "comment", declared["comment"], there["comment"]
    if key.startswith("recipient/"):
        yield "type", declared["type"], there["type"]
        yield "metastore_id", declared.get("metastore_id", ""), there["metastore_id"]
        if "allowed_ips" in declared:
            yield "allowed_ips", sorted(declared["allowed_ips"]), there["allowed_ips"]
        for name in sorted(declared.get("properties", {}).keys() | there["properties"].keys()):
            if "properties" in declared:
                yield f"properties.{name}", declared["properties"].get(name), there["properties"].get(name)
        return
    for reader in sorted({*declared["recipients"], *there["recipients"]}):
        yield f"recipients[{reader}]", reader in declared["recipients"], reader in there["recipients"]
    objects = {name_of(item): item for item in declared["data_objects"]}
    for name in sorted(objects.keys() | there["data_objects"].keys()):
        yield f"objects[{name}]", name in objects, name in there["data_objects"]
        item = objects.get(name)
        if isinstance(item, dict) and name in there["data_objects"]:
            yield f"objects[{name}].comment", item["comment"], there["data_objects"][name]


def _is_excepted(key: str, field: str, excepted: Excepted) -> bool:
    return (key, field) in excepted or (key, re.sub(r"\].*", "]", field)) in excepted
