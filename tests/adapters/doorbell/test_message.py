import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.azure_queue.message import MAX_PAYLOAD, Unreadable, decode, encode, encode_parked

ID = "6f1e9b0e-1111-4000-8000-000000000000"


def test_a_message_is_plain_json() -> None:
    assert encode(UUID(ID)) == f'{{"v":1,"work_id":"{ID}"}}'


@given(st.uuids())
def test_what_is_written_is_read(work_id: UUID) -> None:
    assert decode(encode(work_id)) == work_id


def test_keys_of_a_later_program_are_allowed() -> None:
    assert decode(f'{{"v":1,"work_id":"{ID}","trace":"abc"}}') == UUID(ID)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("hello", "not JSON"),
        ("[" * 60_000, "not JSON"),
        ("9" * 5_000, "not JSON"),
        ("eyJ2IjoxfQ==", "not JSON"),
        ("[1]", "not a JSON object"),
        ("null", "not a JSON object"),
        (f'{{"work_id":"{ID}"}}', "version 1"),
        (f'{{"v":2,"work_id":"{ID}"}}', "version 1"),
        (f'{{"v":true,"work_id":"{ID}"}}', "version 1"),
        (f'{{"v":1.0,"work_id":"{ID}"}}', "version 1"),
        ('{"v":1}', "not a UUID"),
        ('{"v":1,"work_id":7}', "not a UUID"),
        ('{"v":1,"work_id":"7"}', "not a UUID"),
        (f'{{"v":1,"work_id":"urn:uuid:{ID}"}}', "not a UUID"),
    ],
)
def test_a_text_that_is_no_message_has_a_reason(text: str, reason: str) -> None:
    read = decode(text)
    assert isinstance(read, Unreadable)
    assert reason in read.reason


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_any_text_is_read_or_has_a_reason(text: str) -> None:
    assert isinstance(decode(text), UUID | Unreadable)


@given(st.text(max_size=50), st.text(max_size=50), st.integers(1, 99))
def test_a_parked_message_holds_payload_reason_and_deliveries(payload: str, reason: str, deliveries: int) -> None:
    assert json.loads(encode_parked(payload, reason, deliveries)) == {
        "v": 1,
        "payload": payload,
        "reason": reason,
        "deliveries": deliveries,
        "truncated": False,
    }


@pytest.mark.parametrize("character", ["x", '"', "\x01", "&", "é", "\U0001f514"])
def test_a_parked_message_fits_into_a_queue_message(character: str) -> None:
    text = encode_parked(character * 65_536, character * 65_536, 5)
    assert len(text.encode()) < 65_000
    assert json.loads(text)["truncated"] is True
    assert json.loads(text)["payload"] == character * MAX_PAYLOAD
