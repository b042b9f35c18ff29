"""Who plans and applies, as Databricks sees it, and whether that is enough for a step."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """The identity that calls the API of one workspace, and the metastore behind it."""

    #: User name, or application id of a service principal.
    name: str
    groups: frozenset[str] = frozenset()
    is_metastore_admin: bool = False
    #: Effective on the metastore: CREATE_SHARE, CREATE_RECIPIENT, USE_SHARE, SET_SHARE_PERMISSION, …
    privileges: frozenset[str] = frozenset()
    #: False when the metastore's `delta_sharing_scope` lets no D2O recipient in.
    shares_externally: bool = True
    #: `<cloud>:<region>:<uuid>`, lower case; empty when it is not told.
    metastore_id: str = ""

    def is_one_of(self, owner: str) -> bool:
        """Whether it acts as `owner`: by name or as a member."""
        return owner == self.name or owner in self.groups

    def has(self, privilege: str) -> bool:
        return self.is_metastore_admin or privilege in self.privileges
