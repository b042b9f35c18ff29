"""Strategies for documents with every field of the model: of any text, for what the formats carry, and valid ones."""

from functools import cache
from typing import TypeVar

from hypothesis import strategies as st

from reconciler.packs.addresses import canonical_address
from reconciler.packs.document import (
    AllowanceEntry,
    DataObjectEntry,
    FederationPolicyEntry,
    Metadata,
    PackDocument,
    RecipientEntry,
    ShareEntry,
)
from reconciler.packs.objects import known
from tests.packs.documents import (
    ADDRESSES,
    EMAILS,
    METASTORES,
    NAMES,
    OBJECTS,
    PARTS,
    READERS,
    TEXTS,
    TITLES,
    metastore_of,
    name_of,
    with_readers,
)

MAYBE_TEXTS = st.none() | TEXTS
MAYBE_BOOLEANS = st.none() | st.booleans()
#: A list whose only entry is the empty text cannot be told from an empty list; no field accepts it.
ENTRIES = st.lists(TEXTS.filter(bool), max_size=4).map(tuple)
MAYBE_ENTRIES = st.none() | ENTRIES
PROPERTIES = st.dictionaries(TEXTS, TEXTS, max_size=4)
POLICIES = st.builds(
    FederationPolicyEntry,
    name=TEXTS,
    issuer=TEXTS,
    subject_claim=TEXTS,
    subject=TEXTS,
    audiences=MAYBE_ENTRIES,
    comment=MAYBE_TEXTS,
)
OBJECT_ENTRIES = st.builds(
    DataObjectEntry,
    name=TEXTS,
    type=MAYBE_TEXTS,
    shared_as=MAYBE_TEXTS,
    comment=MAYBE_TEXTS,
    partitions=MAYBE_ENTRIES,
    history=MAYBE_BOOLEANS,
    cdf=MAYBE_BOOLEANS,
    start_version=st.none() | st.integers(-5, 10**18 - 1),
    content=MAYBE_TEXTS,
)


def any_documents() -> st.SearchStrategy[PackDocument]:
    """What has the shape of a document, whatever its texts are; only the names of entries are there and unique."""
    return st.builds(
        PackDocument,
        metadata=st.builds(
            Metadata,
            requestor=TEXTS,
            project_name=TEXTS,
            business_line=TEXTS,
            strategy=MAYBE_TEXTS,
            description=MAYBE_TEXTS,
            region=MAYBE_TEXTS,
            drift=MAYBE_TEXTS,
        ),
        recipient=st.lists(_recipients(), max_size=3, unique_by=name_of).map(tuple),
        share=st.lists(_shares(), max_size=3, unique_by=name_of).map(tuple),
        allow=st.lists(st.builds(AllowanceEntry, action=TEXTS, until=TEXTS, reason=TEXTS), max_size=2).map(tuple),
        release=st.lists(TEXTS, max_size=3).map(tuple),
    )


def _recipients() -> st.SearchStrategy[RecipientEntry]:
    return st.builds(
        RecipientEntry,
        name=NAMES,
        type=TEXTS,
        email=MAYBE_TEXTS,
        metastore_id=MAYBE_TEXTS,
        allowed_ips=MAYBE_ENTRIES,
        comment=MAYBE_TEXTS,
        owner=MAYBE_TEXTS,
        properties=st.none() | PROPERTIES,
        expires_at=MAYBE_TEXTS,
        token_lifetime=MAYBE_TEXTS,
        rotate_every=MAYBE_TEXTS,
        rotation_overlap=MAYBE_TEXTS,
        federation_policies=st.none() | st.lists(POLICIES, max_size=3).map(tuple),
        protect=st.booleans(),
        renamed_from=MAYBE_TEXTS,
        adopt=st.booleans(),
    )


def _shares() -> st.SearchStrategy[ShareEntry]:
    return st.builds(
        ShareEntry,
        name=NAMES,
        comment=MAYBE_TEXTS,
        owner=MAYBE_TEXTS,
        storage_root=MAYBE_TEXTS,
        recipients=MAYBE_ENTRIES,
        data_objects=st.none() | st.lists(OBJECTS | OBJECT_ENTRIES, max_size=5).map(tuple),
        protect=st.booleans(),
        renamed_from=MAYBE_TEXTS,
        adopt=st.booleans(),
    )


Entry = TypeVar("Entry", RecipientEntry, ShareEntry)
#: The file that all notebooks of valid documents are, seen from the folder of the pack.
NOTEBOOK = "notebooks/a #1, b.ipynb"
_SPANS = st.sampled_from(["60d", "12w", "400 d"])
_PROPERTY_NAMES = st.sampled_from(["country", "a=b", '"', '"a"', "=", "+", "#REF!", "a b", "_x0041_", "1e3", "ä"])
_CONDITIONS = st.sampled_from(
    ["region = 'EMEA'", "year='2026' AND region LIKE 'E%, ;'", "country = recipient.country", "`a b` IS NULL"]
)
_ALIASES = st.integers(0, 999).map("sales.t{}".format)
_THREE_PARTS, _TWO_PARTS = (st.lists(PARTS, min_size=count, max_size=count).map(".".join) for count in (3, 2))
_OWNED = {"comment": MAYBE_TEXTS, "owner": st.none() | TITLES, "protect": st.booleans(), "adopt": st.booleans()}


@cache
def full_documents() -> st.SearchStrategy[PackDocument]:
    """Valid documents in which every field occurs. Making a strategy takes longer than drawing from it: each is made
    once, so the readers of a share are drawn as numbers."""
    recipients = st.lists(_valid_recipients(), max_size=3, unique_by=(name_of, metastore_of))
    without_readers = st.builds(
        PackDocument,
        metadata=st.builds(
            Metadata,
            requestor=EMAILS,
            project_name=TITLES,
            business_line=TITLES,
            description=MAYBE_TEXTS,
            drift=st.sampled_from([None, "correct", "REPORT"]),
        ),
        recipient=recipients.map(tuple),
        share=st.lists(_valid_shares(), max_size=3, unique_by=name_of).map(tuple),
        allow=st.lists(_valid_allowances(), max_size=2, unique_by=lambda each: each.action).map(tuple),
        release=st.lists(st.sampled_from(["share/gone.1", "Recipient/gone", "share/#x"]), unique=True).map(
            lambda found: tuple(each.replace(".", "-") for each in found)
        ),
    )
    return st.builds(with_readers, without_readers, READERS)


def _valid_allowances() -> st.SearchStrategy[AllowanceEntry]:
    return st.builds(
        AllowanceEntry,
        action=st.sampled_from(["delete:share/gone", "revoke:recipient/+gone", "delete:recipient/a,b"]),
        until=st.sampled_from(["2027-01-31", " 2026-12-01 "]),
        reason=TEXTS.filter(str.strip),
    )


def _valid_recipients() -> st.SearchStrategy[RecipientEntry]:
    shared = {
        "name": NAMES,
        "properties": st.none() | st.dictionaries(_PROPERTY_NAMES, TEXTS, max_size=3),
        **_OWNED,
    }
    addresses = {"allowed_ips": st.none() | st.lists(ADDRESSES, max_size=3, unique_by=canonical_address).map(tuple)}
    ending = st.builds(
        RecipientEntry,
        type=st.just("D2O"),
        email=EMAILS,
        expires_at=st.sampled_from(["2027-06-30", "2027-06-30T18:00:00Z"]),
        **addresses,
        **shared,
    )
    rotated = st.builds(
        RecipientEntry,
        type=st.just("d2o"),
        email=EMAILS,
        token_lifetime=st.sampled_from([None, "90d"]),
        rotate_every=_SPANS,
        rotation_overlap=st.sampled_from([None, "0d", "36H", "1 D"]),
        **addresses,
        **shared,
    )
    signed_in = st.builds(
        RecipientEntry,
        type=st.just("OIDC"),
        federation_policies=st.none() | st.lists(_valid_policies(), max_size=3, unique_by=lambda e: e.name).map(tuple),
        **addresses,
        **shared,
    )
    by_metastore = st.builds(
        RecipientEntry, type=st.just("D2D"), metastore_id=METASTORES, email=st.none() | EMAILS, **shared
    )
    return st.builds(_renamed, ending | rotated | signed_in | by_metastore, st.booleans())


def _renamed(entry: Entry, is_renamed: bool) -> Entry:
    return entry.model_copy(update={"renamed_from": f"before-{entry.name}"}) if is_renamed else entry


def _valid_policies() -> st.SearchStrategy[FederationPolicyEntry]:
    return st.builds(
        FederationPolicyEntry,
        name=st.sampled_from(["a", "nightly-job", "1-3", "-"]),
        issuer=st.just("https://login.example.com/a,b;c?d=e#f"),
        subject_claim=st.sampled_from(["oid", "SUB"]),
        subject=TITLES,
        audiences=st.none() | st.lists(TITLES, max_size=2, unique_by=str.strip).map(tuple),
        comment=MAYBE_TEXTS,
    )


def _valid_shares() -> st.SearchStrategy[ShareEntry]:
    """Without readers."""
    objects = st.lists(OBJECTS | _valid_objects(), max_size=6, unique_by=(lambda each: known(each).name, _place))
    entries = st.builds(
        ShareEntry,
        name=NAMES,
        storage_root=st.sampled_from([None, "abfss://a@b.example/c"]),
        data_objects=st.none() | objects.map(tuple),
        **_OWNED,
    )
    return st.builds(_renamed, entries, st.booleans())


def _place(item: str | DataObjectEntry) -> object:
    """Its alias, where it has one."""
    told = known(item)
    return told.alias.lower() or (told.name,)


def _valid_objects() -> st.SearchStrategy[DataObjectEntry]:
    described = {"comment": MAYBE_TEXTS}
    table = st.builds(
        DataObjectEntry,
        name=_THREE_PARTS,
        type=st.sampled_from([None, "TABLE", "table"]),
        shared_as=st.none() | _ALIASES,
        partitions=st.none() | st.lists(_CONDITIONS, max_size=3, unique=True).map(tuple),
        history=MAYBE_BOOLEANS,
        start_version=st.none() | st.integers(0, 10**18 - 1),
        **described,
    )
    fed = st.builds(DataObjectEntry, name=_THREE_PARTS, history=st.sampled_from([None, False]), cdf=MAYBE_BOOLEANS)
    other = st.builds(
        DataObjectEntry,
        name=_THREE_PARTS,
        type=st.sampled_from(["VIEW", "MATERIALIZED_VIEW", "STREAMING_TABLE", "FOREIGN_TABLE", "VOLUME", "MODEL"]),
        shared_as=st.none() | _ALIASES,
        **described,
    )
    whole = st.builds(DataObjectEntry, name=_TWO_PARTS, type=st.just("Schema"), history=MAYBE_BOOLEANS, **described)
    notebook = st.builds(
        DataObjectEntry,
        name=TITLES,
        type=st.just("NOTEBOOK_FILE"),
        shared_as=st.sampled_from([None, "a.ipynb"]),
        content=st.just(NOTEBOOK),
        **described,
    )
    return table | fed | other | whole | notebook
