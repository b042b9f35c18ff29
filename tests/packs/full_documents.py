"""Strategies for documents with every field of the model: of any text, for what the formats carry, and valid ones."""

from hypothesis import strategies as st

from reconciler.packs.document import (
    AllowanceEntry,
    DataObjectEntry,
    FederationPolicyEntry,
    Metadata,
    PackDocument,
    RecipientEntry,
    ShareEntry,
)
from tests.packs.documents import NAMES, OBJECTS, TEXTS

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
    names = st.lists(NAMES, max_size=3, unique_by=str.lower)
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
        recipient=names.flatmap(lambda found: st.tuples(*map(_recipient, found))),
        share=names.flatmap(lambda found: st.tuples(*map(_share, found))),
        allow=st.lists(st.builds(AllowanceEntry, action=TEXTS, until=TEXTS, reason=TEXTS), max_size=2).map(tuple),
        release=st.lists(TEXTS, max_size=3).map(tuple),
    )


def _recipient(name: str) -> st.SearchStrategy[RecipientEntry]:
    return st.builds(
        RecipientEntry,
        name=st.just(name),
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


def _share(name: str) -> st.SearchStrategy[ShareEntry]:
    return st.builds(
        ShareEntry,
        name=st.just(name),
        comment=MAYBE_TEXTS,
        owner=MAYBE_TEXTS,
        storage_root=MAYBE_TEXTS,
        recipients=MAYBE_ENTRIES,
        data_objects=st.none() | st.lists(OBJECTS | OBJECT_ENTRIES, max_size=5).map(tuple),
        protect=st.booleans(),
        renamed_from=MAYBE_TEXTS,
        adopt=st.booleans(),
    )
