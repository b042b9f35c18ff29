"""What a command's exit code means. One table, also printed by the README; codes are an interface and never change."""

from enum import IntEnum


class Exit(IntEnum):
    #: Nothing to do, or all done.
    DONE = 0
    #: It could not be carried out; nothing is known to be wrong with the packs.
    ERROR = 1
    #: `plan --detailed-exitcode` and `fmt --check`: there are changes.
    CHANGES = 2
    #: Pack files have problems.
    INVALID = 3
    #: Something is held: an objection, a conflict, a resource that cannot be read, an outdated approval.
    BLOCKED = 4
    #: Applied, and a second plan is not empty.
    NOT_CONVERGED = 5
    #: Some pack failed while being applied.
    FAILED = 6
