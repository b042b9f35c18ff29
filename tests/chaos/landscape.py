"""The packs of a chaos run as plain documents, and the names they may use. What is changed is `changes`' business."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

Document = dict[str, Any]
Entry = dict[str, Any]

#: Business line → the beginning of the names of its resources. The first lends its recipients to the others.
LINES: Final[Mapping[str, str]] = {"Sales Operations": "sales", "Corporate Finance": "finance", "Research": "research"}
LENDER: Final = "Sales Operations"
TABLES: Final = tuple(f"chaos.s.t_{number}" for number in range(1, 13))
PROJECTS: Final = ("Alpha", "Beta", "Gamma")
#: Resources of one kind that a business line has at most.
MOST_NAMES: Final = 6

TENANTS: Final = "tenants:\n" + "".join(
    f"  {line}:\n    owner: {prefix}@example.com\n    catalogs: [chaos]\n"
    + ('    lends_recipients_to: ["*"]\n' if line == LENDER else "")
    for line, prefix in LINES.items()
)

PRODUCT: Final = "chaos@sandbox.example"
HAND: Final = "hand@sandbox.example"
PRODUCT_TOKEN: Final = "dapi-canarybird-product"
HAND_TOKEN: Final = "dapi-canarybird-hand"
#: For the sandbox. The word in the tokens makes them recognisable. Each of the two is in a group named like the other,
#: so that either may do all that the other may, and the log still tells them apart.
SEED: Final = f"""\
workspace: {{id: 900800700600}}
metastore: {{name: chaos, cloud: azure, region: westeurope}}
principals:
  {PRODUCT}: {{token: {PRODUCT_TOKEN}, admin: true, groups: [{HAND}]}}
  {HAND}: {{token: {HAND_TOKEN}, groups: [{PRODUCT}]}}
catalogs:
  chaos:
    s:
      .numbered: {{t_: 12}}
"""


@dataclass(slots=True)
class Landscape:
    """By path below the packs folder. A broken file keeps its document: that is what mending it brings back."""

    packs: dict[str, Document] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    def copy(self) -> "Landscape":
        return Landscape(deepcopy(self.packs), set(self.broken))

    def files(self) -> dict[str, str]:
        """JSON is YAML."""
        texts = {path: json.dumps(document, indent=1) for path, document in self.packs.items()}
        return {"tenants.yaml": TENANTS} | texts | {path: f"{texts[path]}\n  no: [pack" for path in self.broken}

    def entries(self, kind: str, line: str = "") -> Iterator[tuple[str, Entry]]:
        """Path and entry; `kind` is `recipient` or `share`."""
        for path, document in sorted(self.packs.items()):
            if line in {"", line_of(document)}:
                yield from ((path, entry) for entry in document[kind])

    def taken(self, kind: str) -> set[str]:
        """Names that are declared, or stand as an old name."""
        entries = [entry for _, entry in self.entries(kind)]
        return {entry["name"] for entry in entries} | {entry.get("renamed_from", "") for entry in entries}

    def free_names(self, kind: str, line: str) -> list[str]:
        joint = "-r" if kind == "recipient" else "_s"
        names = [f"{LINES[line]}{joint}{number}" for number in range(MOST_NAMES)]
        return sorted(set(names) - self.taken(kind))

    def free_metastores(self, line: str) -> list[tuple[str, str]]:
        """Name and metastore id of D2D recipients. A name keeps its type and its metastore for good: to change them is
        to take the recipient away from its partner, and that is held until somebody allows it by name."""
        numbers = {f"{LINES[line]}-d{number}": f"{list(LINES).index(line)}{number:011}" for number in range(3)}
        free = sorted(numbers.keys() - self.taken("recipient"))
        return [(name, f"azure:westeurope:11111111-2222-3333-4444-{numbers[name]}") for name in free]

    def readers_for(self, line: str) -> list[str]:
        """Recipients that a share of the line may be granted to."""
        return sorted({entry["name"] for each in {line, LENDER} for _, entry in self.entries("recipient", each)})

    def keys(self) -> set[str]:
        """As `share/NAME` and `recipient/NAME`."""
        return {f"{kind}/{entry['name']}" for kind in ("recipient", "share") for _, entry in self.entries(kind)}


def line_of(document: Document) -> str:
    return str(document["metadata"]["business_line"])


def new_pack(line: str, project: str) -> tuple[str, Document]:
    metadata = {"requestor": "pat@example.com", "project_name": project, "business_line": line}
    return f"{LINES[line]}/{project.lower()}.yaml", {"metadata": metadata, "recipient": [], "share": []}
