"""The partitions of a shared table as packs write them, to core values and back.

    region = 'EMEA' AND year LIKE '20%' AND org = recipient.org AND `Closed On` IS NULL

Keywords in any letter case; a quote inside a text, or a back-quote inside a name, is doubled. Nothing else is SQL here:
what the API cannot express is refused with what to write instead."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from reconciler.core.share import Condition, Partition
from reconciler.packs.finding import shown

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^']|'')*')
      | (?P<quoted>`(?:[^`]|``)+`)
      | (?P<word>[^\W\d][\w-]*)
      | (?P<sign>[=.])
      | (?P<other>\d[\w.]*|"[^"]*"?|[<>!=]+|.)
    )""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN_COLUMN: Final = re.compile(r"[^\W\d]\w*")
_PLAIN_PROPERTY: Final = re.compile(r"[^\W\d][\w-]*")
_KEYWORDS: Final = frozenset({"AND", "LIKE", "IS", "NULL", "OR", "NOT", "IN", "BETWEEN"})
_VALUE: Final = "a text in single quotes, or recipient.PROPERTY"
_HINT: Final = "write for example region = 'EMEA' AND country = recipient.country"
_HINTS: Final = {
    "OR": "what holds one or the other stands in two entries of the list",
    ",": "what must hold together is joined by AND",
    "NOT": "only =, LIKE and IS NULL can be asked for",
    "IN": "write one entry of the list for each value, with =",
    "BETWEEN": "only =, LIKE and IS NULL can be asked for",
    "(": "no brackets: conditions are joined by AND, alternatives are entries of the list",
    "'": "the closing quote is missing; a quote inside a text is doubled: 'it''s'",
    "`": "the closing back-quote is missing, or nothing stands between the two",
}


@dataclass(frozen=True, slots=True)
class NotAPartition:
    message: str
    hint: str = _HINT


class _Token(NamedTuple):
    #: text, quoted, word, sign, other, or end.
    kind: str
    value: str
    #: 1-based.
    at: int

    @property
    def keyword(self) -> str:
        return self.value.upper() if self.kind == "word" else ""


class _MisreadError(Exception):
    def __init__(self, token: _Token, expected: str) -> None:
        super().__init__(expected)
        self.token = token
        self.expected = expected


@lru_cache(maxsize=1024)  # each is asked about when checked and when translated
def partition(text: str) -> Partition | NotAPartition:
    tokens = _tokens(text)
    if len(tokens) == 1:
        return NotAPartition("a partition is empty", f"remove it, or {_HINT}")
    try:
        return frozenset(_conditions(tokens))
    except _MisreadError as misread:
        return _refused(misread)


def partition_words(conditions: Partition) -> str:
    """As packs write it; `partition` reads it back as the same value."""
    return " AND ".join(sorted(map(_words, conditions)))


def _words(condition: Condition) -> str:
    column = _name(condition.column, _PLAIN_COLUMN)
    if condition.recipient_property is not None:
        parts = condition.recipient_property.split(".")
        parts = parts if all(parts) else [condition.recipient_property]
        compared = "recipient." + ".".join(_name(part, _PLAIN_PROPERTY) for part in parts)
    elif condition.value is not None:
        compared = "'" + condition.value.replace("'", "''") + "'"
    else:
        return f"{column} IS NULL"
    return f"{column} {'LIKE' if condition.is_like else '='} {compared}"


def _name(text: str, plain: re.Pattern[str]) -> str:
    is_plain = plain.fullmatch(text) and text.upper() not in _KEYWORDS
    return text if is_plain else "`" + text.replace("`", "``") + "`"


def _tokens(text: str) -> Sequence[_Token]:
    found = []
    for match in _TOKEN.finditer(text.rstrip()):
        kind = match.lastgroup or ""
        found.append(_Token(kind, match[kind], match.start(kind) + 1))
    return [*found, _Token("end", "", len(text.rstrip()) + 1)]


def _conditions(tokens: Sequence[_Token]) -> Iterator[Condition]:
    at = 0
    while True:
        condition, at = _condition(tokens, at)
        yield condition
        if tokens[at].kind == "end":
            return
        if tokens[at].keyword != "AND":
            raise _MisreadError(tokens[at], "AND or the end")
        at += 1


def _condition(tokens: Sequence[_Token], at: int) -> tuple[Condition, int]:
    column, at = _column(tokens[at]), at + 1
    operator = tokens[at]
    if operator.keyword == "IS":
        if tokens[at + 1].keyword != "NULL":
            raise _MisreadError(tokens[at + 1], "NULL")
        return Condition(column), at + 2
    if operator.keyword != "LIKE" and (operator.kind, operator.value) != ("sign", "="):
        raise _MisreadError(operator, "=, LIKE or IS NULL")
    is_like, value = operator.keyword == "LIKE", tokens[at + 1]
    if value.kind == "text":
        return Condition(column, is_like, value.value[1:-1].replace("''", "'")), at + 2
    if value.keyword != "RECIPIENT" or tokens[at + 2].value != ".":
        raise _MisreadError(value, _VALUE)
    name, at = _property(tokens, at + 3)
    return Condition(column, is_like, recipient_property=name), at


def _column(token: _Token) -> str:
    if token.kind == "quoted":
        return token.value[1:-1].replace("``", "`").lower()
    if token.kind != "word" or token.keyword in _KEYWORDS or "-" in token.value:
        raise _MisreadError(token, "the name of a column")
    return token.value.lower()


def _property(tokens: Sequence[_Token], at: int) -> tuple[str, int]:
    """Letter case counts; a name may have dots, as databricks.accountId has."""
    parts: list[str] = []
    while True:
        if tokens[at].kind not in {"word", "quoted"}:
            raise _MisreadError(tokens[at], "the name of a recipient's property")
        is_quoted = tokens[at].kind == "quoted"
        parts.append(tokens[at].value[1:-1].replace("``", "`") if is_quoted else tokens[at].value)
        at += 1
        if tokens[at].value != ".":
            return ".".join(parts), at
        at += 1


def _refused(misread: _MisreadError) -> NotAPartition:
    token = misread.token
    found = "the text ends" if token.kind == "end" else f"{shown(token.value)} stands"
    message = f"{found} where {misread.expected} is expected, at character {token.at}"
    return NotAPartition(message, _hint_for(token, is_value=misread.expected == _VALUE))


def _hint_for(token: _Token, *, is_value: bool) -> str:
    is_bare = token.kind == "word" and token.keyword not in {*_KEYWORDS, "RECIPIENT"}
    if is_value and (is_bare or (token.kind == "other" and (token.value[0].isdigit() or token.value[0] == '"'))):
        return f"write the value in single quotes: '{shown(token.value.strip(chr(34)))[1:-1]}'"
    if token.kind == "other" and token.value[0] in "<>!=":
        return "only =, LIKE and IS NULL can be asked for"
    if token.kind == "word" and "-" in token.value:
        return f"a name with a hyphen needs back-quotes: `{shown(token.value)[1:-1]}`"
    return _HINTS.get(token.keyword or token.value[:1], _HINT)
