"""Every field of every resource there and back, equal values as equal JSON, and packs whatever their order."""

import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.changes import TokenRotated, TokenShortened
from reconciler.core.encoding import canonical, digest
from reconciler.core.managed import UNMANAGED
from reconciler.core.pack import Allowance
from reconciler.core.pack_encoding import encode_pack
from reconciler.core.problem import Where
from reconciler.core.recipient import (
    Authentication,
    DatabricksSharing,
    FederationPolicy,
    OidcSharing,
    OtherSharing,
    Recipient,
    SubjectClaim,
    TokenSharing,
)
from reconciler.core.resource import Resource
from reconciler.core.resource_encoding import decode_resource, decode_token_change, encode_resource, encode_token_change
from reconciler.core.share import Condition, NotebookContent, ObjectType, Share, SharedObject
from tests.core.scenes import NAMES, RECIPIENTS, declared_shares, one_of
from tests.core.worlds import SALES_Q1, WORKSPACE, a_pack, renamed
from tests.drawing import examples

texts = st.sampled_from(["", "a", "ü·\n\"'", "x" * 300])
flags = st.sampled_from([UNMANAGED, True, False])
numbers = st.sampled_from([UNMANAGED, 0, 1, 2**53])


def managed(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.one_of(st.just(UNMANAGED), values)


conditions = st.one_of(
    st.builds(Condition, texts, value=texts, is_like=st.booleans()),
    st.builds(Condition, texts, recipient_property=texts, is_like=st.booleans()),
    st.builds(Condition, texts),
)
partitions = st.frozensets(st.frozensets(conditions, max_size=2), max_size=2)
contents = st.builds(NotebookContent, st.sampled_from(["1" * 64, "2" * 64]), st.binary(max_size=4))
objects = st.builds(
    SharedObject,
    texts,
    managed(st.sampled_from(ObjectType)),
    managed(texts),
    managed(texts),
    managed(partitions),
    flags,
    flags,
    numbers,
    managed(contents),
)
policies = st.builds(
    FederationPolicy, texts, texts, st.sampled_from(SubjectClaim), texts, st.frozensets(texts, max_size=2), texts
)
authentications: st.SearchStrategy[Authentication] = st.sampled_from(
    [TokenSharing(), OidcSharing(), DatabricksSharing("aws:r:m"), OtherSharing("OAUTH_CLIENT_CREDENTIALS")]
)
names = st.frozensets(texts, max_size=3)
recipients = st.builds(
    Recipient,
    texts,
    authentications,
    managed(texts),
    managed(names),
    managed(texts),
    managed(texts),
    managed(st.dictionaries(texts, texts, max_size=3).map(lambda each: frozenset(each.items()))),
    numbers,
    managed(st.frozensets(policies, max_size=2)),
    numbers,
    numbers,
    numbers,
    st.booleans(),
)
shares = st.builds(
    Share,
    texts,
    managed(texts),
    managed(st.frozensets(objects, max_size=3)),
    managed(names),
    managed(texts),
    managed(texts),
    st.booleans(),
)


@settings(max_examples=examples(80, 400), deadline=None)
@given(st.one_of(recipients, shares))
def test_every_field_survives_encoding(resource: Resource) -> None:
    encoded = json.loads(json.dumps(encode_resource(resource, with_content=True)))
    assert decode_resource(encoded) == resource
    assert canonical(encode_resource(decode_resource(encoded), with_content=True)) == canonical(encoded)


@settings(max_examples=examples(30, 200), deadline=None)
@given(declared_shares("s", frozenset(NAMES)), one_of([each for name in NAMES for each in RECIPIENTS[name]]))
def test_what_packs_declare_survives_encoding(share: Share, recipient: Recipient) -> None:
    assert decode_resource(encode_resource(share)) == share
    assert decode_resource(encode_resource(recipient)) == recipient


def test_empty_and_not_managed_stay_apart() -> None:
    empty = Share("s", "", frozenset(), frozenset(), "", "")
    assert encode_resource(Share("s")) == {"kind": "share", "name": "s"}
    assert decode_resource(encode_resource(empty)) == empty
    assert encode_resource(empty)["data_objects"] == []
    bare = Recipient("r", TokenSharing(), properties=frozenset(), policies=frozenset(), allowed_ips=frozenset())
    assert decode_resource(encode_resource(bare)) == bare
    assert encode_resource(bare)["properties"] == {}


def test_a_notebook_is_a_digest_unless_its_content_is_asked_for() -> None:
    notebook = SharedObject("n", ObjectType.NOTEBOOK_FILE, content=NotebookContent("1" * 64, b"secret sauce"))
    share = Share("s", objects=frozenset({notebook}))
    (without,) = encode_resource(share)["data_objects"]
    assert without == {"name": "n", "type": "NOTEBOOK_FILE", "content_digest": "1" * 64}
    back = decode_resource(encode_resource(share, with_content=True))
    assert isinstance(back, Share)
    assert isinstance(back.objects, frozenset)
    (found,) = back.objects
    assert found.content is not UNMANAGED
    assert found.content.source == b"secret sauce"
    assert "secret" not in repr(found)


@pytest.mark.parametrize("value", [{"kind": "volume", "name": "v"}, {"kind": ""}])
def test_nothing_else_is_a_resource(value: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="not a resource"):
        decode_resource(value)


@pytest.mark.parametrize(
    "change",
    [TokenRotated("t", 1, 0), TokenRotated("t", 1, 60, 99), TokenShortened("t", None, 5), TokenShortened("t", 4, 5)],
)
def test_what_is_to_be_done_about_a_token_survives_encoding(change: TokenRotated | TokenShortened) -> None:
    assert decode_token_change(json.loads(json.dumps(encode_token_change(change)))) == change


def test_a_rotation_written_before_ends_were_told_is_read() -> None:
    assert decode_token_change({"token_id": "t", "made_at": 1, "overlap": 60}) == TokenRotated("t", 1, 60)


def test_equal_packs_encode_alike_whatever_their_order_and_every_part_counts() -> None:
    recipient, share = Recipient("r", TokenSharing()), Share("s")
    pack = a_pack(SALES_Q1, recipient, share)
    assert digest(encode_pack(pack)) == digest(encode_pack(a_pack(SALES_Q1, share, recipient)))
    (key, *_) = sorted(pack.resources)
    entry = Allowance("delete:share/s", date(2030, 1, 1), "why", Where("x"))
    variants = [
        pack,
        renamed(pack, key, "old"),
        a_pack(SALES_Q1, recipient, share, adopt=True),
        a_pack(SALES_Q1, recipient),
        a_pack(SALES_Q1, recipient, Share("s", protect=True)),
    ]
    digests = {digest(encode_pack(each)) for each in variants}
    assert len(digests) == len(variants)
    moved = a_pack(SALES_Q1, recipient, share, path="elsewhere.yaml")
    assert digest(encode_pack(moved)) == digest(encode_pack(pack))
    assert encode_pack(pack)["recipient"] == [{"name": "r", "type": "D2O"}]
    assert "allow" not in encode_pack(pack)
    assert entry.reason == "why"
    assert WORKSPACE not in canonical(encode_pack(pack))
