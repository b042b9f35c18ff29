import re
import secrets
from hashlib import sha256

import pytest

from reconciler.core.api_key import SECRET_BYTES, id_meant, key_of, read_key


def test_a_key_is_of_the_form_that_requests_show() -> None:
    for _ in range(50):
        key = key_of("a1b2c3d4", secrets.token_bytes(SECRET_BYTES))
        assert re.fullmatch(r"spk_a1b2c3d4_[A-Za-z0-9_-]{43}", key.text)
        assert read_key(key.text) == key


def test_what_is_kept_is_the_hash_of_the_secret_part() -> None:
    key = key_of("a1b2c3d4", bytes(range(32)))
    assert key.digest == sha256(key.text.removeprefix("spk_a1b2c3d4_").encode()).digest()


def test_a_key_does_not_show_itself() -> None:
    key = key_of("a1b2c3d4", secrets.token_bytes(SECRET_BYTES))
    assert key.secret not in repr(key)
    assert key.secret not in str([key])


@pytest.mark.parametrize(
    "text", ["", "spk_", "spk_a1b2c3d4", "spk_a1b2c3d4_short", "dapi0123", f"spk_a1b2c3d4_{'x' * 44}"]
)
def test_other_texts_are_no_keys(text: str) -> None:
    assert read_key(text) is None


def test_an_id_is_read_from_what_people_have_of_a_key() -> None:
    key = key_of("a1b2c3d4", bytes(32))
    for text in ("a1b2c3d4", " a1b2c3d4 ", "spk_a1b2c3d4", key.text):
        assert id_meant(text) == "a1b2c3d4"
    for text in ("", "a1b2", "a1b2c3d4e", key.secret, f"{key.text}x"):
        assert id_meant(text) is None
