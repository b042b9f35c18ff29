"""How to sign in to GitHub. Neither form shows its secret when it is printed."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Token:
    """What a workflow is given (`GITHUB_TOKEN`), somebody's own, or one of an App's installation."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class App:
    #: Its id, or its client id.
    id: str
    #: PEM.
    private_key: str = field(repr=False)
    #: Looked up by the repository when it is not given.
    installation: int | None = None


Credentials = Token | App
