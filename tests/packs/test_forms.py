"""The small forms: addresses, names, e-mail addresses, metastore ids, data objects, cells."""

import pytest

from reconciler.packs.addresses import NotAnAddress, canonical_address
from reconciler.packs.cells import column_letters, read_list, read_text
from reconciler.packs.finding import nearest, shown
from reconciler.packs.names import is_email, is_name, metastore_id, object_name
from reconciler.packs.tenants import workspace_url


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("198.51.100.50", "198.51.100.50"),
        (" 198.51.100.50 ", "198.51.100.50"),
        ("198.51.100.50/32", "198.51.100.50"),
        ("203.0.113.0/24", "203.0.113.0/24"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("203.0.113.0/024", None),
        ("203.0.113.1/24", None),
        ("1.2.3", None),
        ("\u0661.2.3.4", None),
        ("::1", None),
        ("::ffff:1.2.3.4", None),
        ("", None),
    ],
)
def test_addresses(text: str, expected: str | None) -> None:
    found = canonical_address(text)
    assert (None if isinstance(found, NotAnAddress) else found) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a@b.example", True),
        ("first.last+tag@sub.domain-name.co", True),
        ("o'neil@b.example", True),
        ("ä@bücher.example", True),
        ("a@b", False),
        ("a@-b.example", False),
        ("a@b..example", False),
        ("a b@c.example", False),
        ("<a@b.example>", False),
        ("a@b.example,c@d.example", False),
        ("a\u200b@b.example", False),
        ("a" * 65 + "@b.example", False),
        ("a@" + "b." * 130 + "example", False),
    ],
)
def test_e_mail_addresses(text: str, expected: bool) -> None:
    assert is_email(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aws:us-west-2:abc-123-def", "aws:us-west-2:abc-123-def"),
        ("AZURE:WestEurope:19A84BEE", "azure:westeurope:19a84bee"),
        ("gcp:eu-west1:19a84bee-54bc-43a2-87de-023d0ec16016", "gcp:eu-west1:19a84bee-54bc-43a2-87de-023d0ec16016"),
        ("oci:us:abc", None),
        ("aws:us-west-2", None),
        ("aws::abc", None),
        ("aws:us:abc:def", None),
        ("aws:us:abc-", None),
        ("aws:us:a_b", None),
    ],
)
def test_metastore_ids(text: str, expected: str | None) -> None:
    assert metastore_id(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("c.s.t", "c.s.t"),
        (" C.S ", "c.s"),
        ("`c`.`s`.`My Table`", "c.s.my table"),
        ("c.s.`a``b`", "c.s.a`b"),
        ("c.s.naïve-tábla", "c.s.naïve-tábla"),
        ("c", None),
        ("c.s.t.x", None),
        ("c..t", None),
        (".s.t", None),
        ("c.s.", None),
        ("c.s.my table", None),
        ("c.s.`a.b`", None),
        ("c.s.``", None),
        ("c.s.`t", None),
        ("c.s.`t`x", None),
        ("c.s.a/b", None),
        ("c.s." + "t" * 256, None),
        ("c.s." + "t" * 255, "c.s." + "t" * 255),
    ],
)
def test_data_objects(text: str, expected: str | None) -> None:
    assert object_name(text) == expected


@pytest.mark.parametrize("text", ["", "a b", "a.b", "a/b", "a\tb", "a\x7fb", "a\u200bb", "a\u202eb", "a\xa0b"])
def test_what_is_no_name(text: str) -> None:
    assert not is_name(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://adb-1.2.azuredatabricks.net", "https://adb-1.2.azuredatabricks.net"),
        (" HTTPS://ADB-1.example.net/ ", "https://adb-1.example.net"),
        ("https://adb-1.example.net:443", "https://adb-1.example.net"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost", "http://localhost"),
        ("http://adb-1.example.net", None),
        ("http://localhost.example.net", None),
        ("https://user:secret@adb-1.example.net", None),
        ("https://adb-1.example.net/?o=1", None),
        ("https://adb-1.example.net/sql", None),
        ("https://[::1]", None),
        ("https://adb 1.example.net", None),
        ("https://adb-1.example.net:port", None),
        ("adb-1.example.net", None),
        ("https://", None),
    ],
)
def test_workspace_urls(text: str, expected: str | None) -> None:
    assert workspace_url(text) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("a,b", ["a", "b"]),
        (" a ; b\nc,,", ["a", "b", "c"]),
        ('""', []),
        ('"a,b", c', ["a,b", "c"]),
        ('"a" b', ['"a" b']),
        ('"a\\"b"', ['a"b']),
        ('"open', ['"open']),
        ('"\\q"', ['"\\q"']),
    ],
)
def test_lists_in_cells(cell: str, expected: list[str]) -> None:
    assert read_list(cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"), [("a", "a"), ('""', ""), ('" a"', " a"), ('"a', '"a'), ('say "a"', 'say "a"')]
)
def test_texts_in_cells(cell: str, expected: str) -> None:
    assert read_text(cell) == expected


def test_columns_have_letters() -> None:
    assert [column_letters(number) for number in (1, 26, 27, 52, 702, 703)] == ["A", "Z", "AA", "AZ", "ZZ", "AAA"]


def test_the_nearest_word_is_found_in_any_letter_case_or_none() -> None:
    assert nearest("Recipient", ["recipients", "name"]) == "recipients"
    assert nearest("zzz", ["recipients", "name"]) == ""
    assert nearest("x" * 10_000, ["x" * 9_999]) == ""


def test_values_are_shown_on_one_line_without_what_moves_the_cursor() -> None:
    assert shown("a\n\x1b[31m\u202eb") == '"a\\u000a\\u001b[31m\\u202eb"'
    assert len(shown("x" * 1_000)) == 62
