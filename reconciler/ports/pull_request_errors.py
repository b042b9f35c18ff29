"""What goes wrong with the host of pull requests, as commands tell it that ask none."""


class PullRequestsError(Exception):
    """The host cannot be used: no access, no such repository, no answer. Says what to do, and never a token."""

    def __init__(self, what: str, advice: str = "", *, is_passing: bool = False) -> None:
        super().__init__(f"{what} {advice}".rstrip())
        self.what = what
        self.advice = advice
        #: It may work a little later: no connection, an answer with 5xx, a rate limit.
        self.is_passing = is_passing
