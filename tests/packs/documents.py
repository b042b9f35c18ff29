"""Strategies for valid pack documents, for properties over all of them."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from reconciler.packs.addresses import canonical_address
from reconciler.packs.document import Metadata, PackDocument, RecipientEntry, ShareEntry
from reconciler.packs.names import object_name
from tests.drawing import examples

THOROUGH = settings(max_examples=examples(60, 300), deadline=None)

#: What other YAML readers, Excel or this product take for more than text.
TRICKY = """
no|NO|true|null|~|1e3|0x1F|0o17|1_000|12:30:45|2024-01-30|.inf|- a|a: b|# a|'|"|""|"quoted"|=1+1|+|+1|#REF!|#N/A|{a|[a|
*a|&a|!a|%a|@a|`a|>|?| padded |two\nlines\n|\n|tab\there|_x0041_|a,b|a;b|\ufeffa|a\u2028b|\xa0|\U0001f680|\\|\\n|<<
"""
_WORDS = TRICKY.removeprefix("\n").removesuffix("\n").replace("|\n", "|").split("|")
_LETTERS = "aZ09 _-.,;:#'\"\\\n\t=+{}[]&*!|>%@`äß東\u2028\ufeff\U0001f680"
TEXTS = st.sampled_from(_WORDS) | st.text(_LETTERS, max_size=20) | st.just("long " * 60)
TITLES = st.sampled_from([text for text in _WORDS if text.strip() and not set(text) & set("\n\t")]) | st.text(
    "aZ9 .,'\"#", min_size=1, max_size=12
).filter(str.strip)
NAMES = st.sampled_from(["no", "1e3", "+", '""', "#REF!", "a,b", "=x", "<<"]) | st.text(
    "abcXYZ019-_+=,;:#'\"*&!|>%@(){}[]~$ä", min_size=1, max_size=8
)
EMAILS = st.sampled_from(["a@b.example", "A.b+c@d-e.co", "=x@y.example", "1e3@0x1.example"])
ADDRESSES = st.builds(
    "{}.{}.0.0{}".format, st.integers(0, 255), st.integers(0, 255), st.sampled_from(["", "/16", "/32"])
)
METASTORES = st.builds(
    "{}:{}:{:x}-Ab".format, st.sampled_from(["aws", "Azure", "GCP"]), st.just("us-1"), st.integers(0, 99)
)
PARTS = st.text("abcXYZ019_-,;+\"'=#", min_size=1, max_size=6) | st.sampled_from(["`my table`", "`a``b`", "no", "1e3"])
OBJECTS = st.lists(PARTS, min_size=2, max_size=3).map(".".join)


@cache
def documents() -> st.SearchStrategy[PackDocument]:
    """Making a strategy takes longer than drawing from it: each is made once, so the readers of a share are drawn as
    numbers."""
    without_readers = st.builds(
        PackDocument,
        metadata=_metadata(),
        recipient=st.lists(_recipients(), max_size=4, unique_by=(name_of, metastore_of)).map(tuple),
        share=st.lists(_shares(), max_size=3, unique_by=name_of).map(tuple),
    )
    return st.builds(with_readers, without_readers, READERS)


#: Of each share, as many of the recipients there are.
READERS = st.lists(st.none() | st.lists(st.integers(0, 3), unique=True), min_size=3, max_size=3)


def with_readers(document: PackDocument, readers: Sequence[Sequence[int] | None]) -> PackDocument:
    names = [entry.name for entry in document.recipient]
    shares = tuple(
        share.model_copy(
            update={
                "recipients": None if numbers is None else tuple(names[each] for each in numbers if each < len(names))
            }
        )
        for share, numbers in zip(document.share, readers, strict=False)
    )
    return document.model_copy(update={"share": shares})


def name_of(entry: RecipientEntry | ShareEntry) -> str:
    return entry.name.lower()


def metastore_of(entry: RecipientEntry) -> str:
    return (entry.metastore_id or f"none of {entry.name}").lower()


def _metadata() -> st.SearchStrategy[Metadata]:
    return st.builds(
        Metadata,
        requestor=EMAILS,
        project_name=TITLES,
        business_line=TITLES,
        strategy=st.sampled_from([None, "NEW", "update"]),
        description=st.none() | TEXTS,
        region=st.sampled_from([None, "", "AM", "emea", "no"]),
    )


def _recipients() -> st.SearchStrategy[RecipientEntry]:
    shared: dict[str, Any] = {
        "name": NAMES,
        "comment": st.none() | TEXTS,
        "adopt": st.booleans(),
    }
    by_token = st.builds(
        RecipientEntry,
        type=st.sampled_from(["D2O", "d2o"]),
        email=EMAILS,
        allowed_ips=st.none() | st.lists(ADDRESSES, max_size=3, unique_by=canonical_address).map(tuple),
        **shared,
    )
    by_metastore = st.builds(
        RecipientEntry, type=st.just("D2D"), metastore_id=METASTORES, email=st.none() | EMAILS | st.just(""), **shared
    )
    return by_token | by_metastore


def _shares() -> st.SearchStrategy[ShareEntry]:
    """Without readers."""
    return st.builds(
        ShareEntry,
        name=NAMES,
        comment=st.none() | TEXTS,
        data_objects=st.none() | st.lists(OBJECTS, max_size=5, unique_by=object_name).map(tuple),
        adopt=st.booleans(),
    )
