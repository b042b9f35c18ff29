"""PostgreSQL: the record of everything (`ledger`) and a doorbell (`doorbell`).

`tables` says what the versioned tables look like, `versions` writes them (one statement, table-driven), `rows` turns
resources into columns and back. On these stand `submit`, `work`, `operations`, `packs` and `reading`, a group of
transactions each, and `ledger` puts them behind the port. `migrate` brings a database up to date.
"""

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.adapters.postgres import (
        claiming,
        corrections,
        daemons,
        distrusts,
        due,
        facts,
        figures,
        holds,
        lease,
        observations,
        operation_records,
        operations,
        packs,
        pauses,
        portal,
        reading,
        shown_plans,
        standings,
        submit,
        work,
    )

#: Statements, imported when one is first made: most commands make few.
__all__ = [
    "claiming",
    "corrections",
    "daemons",
    "distrusts",
    "due",
    "facts",
    "figures",
    "holds",
    "lease",
    "observations",
    "operation_records",
    "operations",
    "packs",
    "pauses",
    "portal",
    "reading",
    "shown_plans",
    "standings",
    "submit",
    "work",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> ModuleType:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return importlib.import_module(f"{__name__}.{name}")
