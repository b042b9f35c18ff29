"""The switches for what is not known about the real service: each unknown has both behaviours here.

A knob's default is the likelier behaviour; a client is only safe when it passes under every value.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Self

from reconciler.sandbox.errors import ApiError, invalid


def _choice(default: str | int, *others: str | int) -> Any:
    return field(default=default, metadata={"choices": (default, *others)})


def _number(default: int, smallest: int) -> Any:
    return field(default=default, metadata={"smallest": smallest})


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs:
    """Values are checked when made: ValueError names the knob and what it may be."""

    #: status of RECIPIENT_/SHARE_…_ALREADY_EXISTS
    already_exists_status: int = _choice(400, 409)
    #: names are stored in lower case (lookups never mind the case)
    lowercase_names: bool = True
    list_includes_tokens: bool = True
    token_order: str = _choice("newest", "oldest", "shuffle")
    #: until when a recipient still shows its expired tokens
    expired_tokens_listed: str = _choice("until_rotate", "never")
    #: what becomes of the old token when rotate-token names no expiry: kept as it is, or ended at once
    rotate_default_keeps_expiry: bool = True
    permission_change_bumps_updated_at: bool = False
    rotate_bumps_updated_at: bool = True
    object_change_bumps_updated_at: bool = True
    #: a PATCH with one bad update changes nothing; otherwise what came before it stays
    multi_update_atomic: bool = True
    #: an UPDATE of an object that carries another alias than the current one
    update_changed_alias: str = _choice("reject", "accept")
    #: an object with shared history says `cdf_enabled: true`
    history_reports_cdf: bool = True
    #: deleting a share or recipient while grants connect it
    delete_with_grants: str = _choice("allowed", "refused")
    unknown_share_principal: str = _choice("PRINCIPAL_DOES_NOT_EXIST", "RECIPIENT_DOES_NOT_EXIST")
    second_activation_status: int = _choice(404, 400, 403, 410)
    retry_after_header: bool = True
    #: page length chosen by the server, and the largest it grants
    page_size: int = _number(100, 1)
    empty_middle_pages: bool = False
    shuffle_lists: bool = False
    #: how many GETs of an object after a write to it still answer the old value; lists are never stale
    stale_reads: int = _number(0, 0)
    #: how many GETs of a recipient or share that was just made still answer 404 RESOURCE_DOES_NOT_EXIST; until then it
    #: cannot be granted anything either
    hidden_reads: int = _number(0, 0)
    #: and how many changes of it (PATCH, permissions, tokens, policies; not DELETE)
    hidden_writes: int = _number(0, 0)
    properties_as_list_accepted: bool = True
    name_in_patch_renames: bool = True
    quota_status: int = _choice(400, 429)
    objects_follow_table_rename: bool = True
    same_source_two_aliases: str = _choice("refuse", "accept")
    #: an empty list is left out of an answer, or sent as []
    empty_lists_omitted: bool = True
    #: a PATCH of a share, or of a recipient, that names no field at all
    empty_share_update: str = _choice("error", "accept")
    empty_recipient_update: str = _choice("accept", "error")
    max_shares: int = _number(1000, 1)
    max_recipients: int = _number(5000, 1)

    def __post_init__(self) -> None:
        for each in fields(self):
            _check(each.name, getattr(self, each.name), each.default, each.metadata)

    def changed(self, values: Mapping[str, Any]) -> Self:
        """Answers these knobs with some turned; raises ApiError on an unknown knob or a value it does not have."""
        unknown = sorted(set(values) - {each.name for each in fields(self)})
        if unknown:
            raise invalid(f"There is no knob {unknown[0]!r}")
        try:
            return replace(self, **values)
        except ValueError as error:
            raise ApiError(400, "INVALID_PARAMETER_VALUE", str(error)) from None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def _check(name: str, value: object, default: object, metadata: Mapping[str, Any]) -> None:
    choices = metadata.get("choices")
    if choices is not None:
        if isinstance(value, bool) or value not in choices:
            raise ValueError(f"knob {name} is {value!r}; it may be {' or '.join(map(str, choices))}")
    elif type(value) is not type(default):
        raise ValueError(f"knob {name} is {value!r}; it must be of type {type(default).__name__}")
    elif "smallest" in metadata and isinstance(value, int) and value < metadata["smallest"]:
        raise ValueError(f"knob {name} is {value!r}; the smallest it may be is {metadata['smallest']}")
