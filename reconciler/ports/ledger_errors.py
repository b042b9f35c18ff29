"""Why the ledger does not do what it was asked to."""


class LedgerError(Exception):
    """The database cannot be used; says why and what to do, without any secret."""


class NameTakenError(LedgerError):
    """A rename would make two resources on record into one; says which. Nothing was written."""


class TooNewError(LedgerError):
    """A newer version of this program wrote the schema or the order: this one must not write. Says to upgrade."""


class FenceLostError(Exception):
    """Another worker holds the pack now; this one must stop."""


class SupersededError(Exception):
    """A newer plan wants something else of the pack; what this one has begun is the newer one's to finish."""


class PausedError(Exception):
    """The workspace has asked everybody to wait."""

    def __init__(self, workspace: str, seconds: float) -> None:
        super().__init__(f"{workspace} has asked to wait; {seconds:.0f} s remain")
        self.seconds = seconds
