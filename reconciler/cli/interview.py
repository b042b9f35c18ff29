"""The questions of `sharepack new`, and the pack that the answers make. An answer that is wrong is asked for again; one
that came as an option stays, to be told of with all else that is wrong."""

from collections.abc import Sequence
from copy import deepcopy
from itertools import pairwise
from typing import Any, Final

from reconciler.cli.asking import ask
from reconciler.packs.draft import Surroundings
from reconciler.packs.new_repository import folder_name
from reconciler.packs.tree import Loc

_TYPES: Final = (
    "D2O: reads with a token, OIDC: signs in at its own identity provider, D2D: another Databricks metastore"
)
_FIRST_OBJECT: Final = "What to share, as catalog.schema.table, or catalog.schema for all of a schema (empty: nothing)"
#: What a recipient of a type has to say, and the question for it.
_NEEDED: Final = {
    "D2O": ("email", "Who gets the activation link (e-mail)"),
    "D2D": ("metastore_id", "Its sharing identifier, <cloud>:<region>:<uuid>"),
}


class Interview:
    def __init__(self, around: Surroundings, path: str, *, is_silent: bool) -> None:
        self.draft: dict[str, Any] = {"metadata": {}, "recipient": [], "share": []}
        self._around = around
        self._path = path
        self._is_silent = is_silent
        self._readers: list[str] = []

    def metadata(self, field: str, question: str, option: str, given: str, default: str | None = None) -> None:
        self._put(("metadata", field), question, option, given, default)

    def wants_region(self) -> bool:
        found = self._around.problems(self._path, self.draft)
        return any(problem.rule == "region-missing" for problem in found)

    def declare(self, name: str, kind: str, value: str) -> None:
        """`value` is the e-mail address of D2O, the metastore of D2D."""
        field = _NEEDED.get(kind.strip().upper(), ("", ""))[0]
        self.draft["recipient"].append({"name": name, "type": kind, **({field: value} if field and value else {})})
        self._readers.append(name)

    def grant(self, name: str) -> None:
        """A recipient of another pack."""
        self._readers.append(name)

    def ask_readers(self) -> None:
        while not self._is_silent and self._ask_reader():
            pass

    def share(self, given: str) -> None:
        if given or not self._is_silent:
            project = folder_name(self.draft["metadata"].get("project_name", "")).replace("-", "_")
            self.draft["share"].append({})
            loc = ("share", 0, "name")
            self._put(loc, "Name of the share", "--share", given, f"{project}_share" if project else None)
            if self._readers:
                self.draft["share"][0]["recipients"] = self._readers

    def objects(self, given: Sequence[str]) -> None:
        if not self.draft["share"]:
            return
        objects: list[str] = self.draft["share"][0].setdefault("data_objects", list(given))
        while not given and not self._is_silent:
            question = "Another one (empty: no more)" if objects else _FIRST_OBJECT
            text = self._answer(("share", 0, "data_objects", len(objects)), question, "--object", "")
            if not text:
                break
            objects.append(text)

    def _ask_reader(self) -> bool:
        number = len(self.draft["recipient"])
        more = "Another recipient" if self._readers else "A recipient, who may read it"
        name = self._answer(("recipient", number, "name"), f"{more} (empty: no more)", "--d2o", "", is_reader=True)
        if not name:
            return False
        self._readers.append(name)
        if self._is_declared(name):
            return True
        self.draft["recipient"].append({"name": name})
        self._put(("recipient", number, "type"), f"Type of {name} ({_TYPES})", "--d2o", "", "D2O")
        kind = self.draft["recipient"][number]["type"].upper()
        if kind in _NEEDED:
            field, question = _NEEDED[kind]
            self._put(("recipient", number, field), question, "--d2o", "", None)
        return True

    def _put(self, loc: Loc, question: str, option: str, given: str, default: str | None) -> None:
        if given:
            _set(self.draft, loc, given)
        elif not self._is_silent:
            _set(self.draft, loc, ask(question, option, default=default, check=lambda text: self._wrong(loc, text)))

    def _answer(self, loc: Loc, question: str, option: str, default: str, *, is_reader: bool = False) -> str:
        def check(text: str) -> str:
            is_fine = not text or (is_reader and self._is_declared(text))
            return "" if is_fine else self._wrong(loc, text)

        return ask(question, option, default=default, check=check)

    def _is_declared(self, name: str) -> bool:
        """By a pack of this business line, or of one that lends it."""
        draft = {"metadata": self.draft["metadata"], "share": [{"name": "any", "recipients": [name]}]}
        loc: Loc = ("share", 0, "recipients", 0)
        return not self._around.problems_at(self._path, draft, loc)

    def _wrong(self, loc: Loc, text: str) -> str:
        """What is wrong with an answer, or ""."""
        draft = deepcopy(self.draft)
        _set(draft, loc, text)
        found = self._around.problems_at(self._path, draft, loc)
        return "\n  ".join(f"{each.message}{f' ({each.hint})' if each.hint else ''}" for each in found)


def _set(draft: Any, loc: Loc, value: str) -> None:
    """Where a list has no such entry yet, it gets one."""
    around = draft
    for part, after in pairwise(loc):
        empty: Any = [] if isinstance(after, int) else {}
        if isinstance(around, list) and isinstance(part, int) and part == len(around):
            around.append(empty)
        elif isinstance(around, dict):
            around.setdefault(part, empty)
        around = around[part]
    if isinstance(around, list):
        around.append(value)
    else:
        around[loc[-1]] = value
