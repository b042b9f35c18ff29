"""What an API key looks like: `spk_`, eight characters that are no secret, `_`, and 256 random bits in base64url. Where
the bits come from, and who may what with a key, is decided elsewhere."""

import base64
import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

MARK: Final = "spk_"
ID_LENGTH: Final = 8
SECRET_BYTES: Final = 32
_KEY: Final = re.compile(r"spk_([A-Za-z0-9]{8})_([A-Za-z0-9_-]{43})")
_ID: Final = re.compile(r"(?:spk_)?([A-Za-z0-9]{8})(?:_[A-Za-z0-9_-]{43})?")


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key as its holder has it."""

    id: str
    #: 43 characters; never shown but in `text`.
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        return f"{MARK}{self.id}_{self.secret}"

    @property
    def digest(self) -> bytes:
        """What is kept of the secret. A plain hash is enough: nobody guesses 256 random bits."""
        return sha256(self.secret.encode()).digest()


def key_of(key_id: str, bits: bytes) -> KeyText:
    """`bits`: SECRET_BYTES random bytes."""
    return KeyText(key_id, base64.urlsafe_b64encode(bits).decode().rstrip("="))


def read_key(text: str) -> KeyText | None:
    """None for what is no key."""
    found = _KEY.fullmatch(text)
    return None if found is None else KeyText(found[1], found[2])


def id_meant(text: str) -> str | None:
    """The id, also of a key that was given whole; None for anything else."""
    found = _ID.fullmatch(text.strip())
    return None if found is None else found[1]
