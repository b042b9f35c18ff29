"""What each page is made of, from values alone: nothing of a text becomes a tag, and all that is to be told is told."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.http.pages.access import MATRIX, Asked, access_page
from reconciler.http.pages.frame import Visitor
from reconciler.http.pages.matrix import OBJECTS, RECIPIENTS
from reconciler.http.pages.pack import handed_in_page, pack_page
from reconciler.http.pages.packs import packs_page
from reconciler.http.pages.sign_in import sign_in_page
from reconciler.http.pages.timeline import SHOWN
from reconciler.http.pages.upload import upload_page
from reconciler.ports.archive import Filter, Page
from reconciler.ports.inbox import UploadStatus
from tests.http.pages.views import (
    ANN,
    GUEST,
    PROBLEMS,
    ROWS,
    STATES,
    access_view,
    hostile_access_view,
    hostile_pack_view,
    hostile_state,
    hostile_upload_view,
    many_reads,
    pack_view,
    packs_view,
    upload,
    upload_view,
)
from tests.render.html.pages import HOSTILE
from tests.render.html.parsed import Element, parse

EVIL: dict[str, Callable[[str], str]] = {
    "packs": lambda words: packs_page(
        replace(packs_view([hostile_state(words)]), narrowed=Filter(text=words, business_line=words)), ANN
    ),
    "pack": lambda words: pack_page(hostile_pack_view(words), ANN),
    "list": lambda words: access_page(hostile_access_view(words, "list"), ANN),
    "matrix": lambda words: access_page(hostile_access_view(words, MATRIX), ANN),
    "upload": lambda words: upload_page(hostile_upload_view(words), ANN),
    "handed in": lambda words: handed_in_page(replace(upload(UploadStatus.FAILED), reason=words, path=words), ANN),
    "sign in": lambda words: sign_in_page(Visitor(words, is_signed_in=True, token=words), words, words),
}


def text_of(page: str) -> str:
    body = next(each for each in parse(page) if each.tag == "body")
    return " ".join(body.text.split())


def rows(page: str) -> list[Element]:
    return [each for each in parse(page) if each.tag == "tr" and "tbody" in each.inside]


@pytest.mark.parametrize("page", EVIL)
@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_becomes_a_tag_an_attribute_or_an_address(page: str, words: str) -> None:
    elements = parse(EVIL[page](words))
    scripts = [each.attributes for each in elements if each.tag == "script"]
    assert [set(each) for each in scripts] == [{"src", "defer"}]
    assert not {"img", "iframe", "object", "style", "base"} & {each.tag for each in elements}
    for each in elements:
        assert not [name for name in each.attributes if name.startswith("on")], each.attributes
        for name in ("href", "src", "action"):
            address = each.attributes.get(name, "/")
            assert address.startswith(("/", "#")), address
            assert not address.startswith("//"), address


@pytest.mark.parametrize("page", EVIL)
def test_every_field_has_a_label_and_every_form_that_changes_something_a_token(page: str) -> None:
    elements = parse(EVIL[page]("words"))
    labelled = {each.attributes["for"] for each in elements if each.tag == "label" and "for" in each.attributes}
    fields = [each for each in elements if each.tag in {"input", "select"} and "form" in each.inside]
    shown = [each for each in fields if each.attributes.get("type") != "hidden"]
    assert {each.attributes["id"] for each in shown} <= labelled
    posting = [each for each in elements if each.tag == "form" and each.attributes.get("method") == "post"]
    tokens = [each for each in fields if each.attributes["name"] == "form"]
    assert len(posting) == len(tokens)
    ids = [each.attributes["id"] for each in elements if "id" in each.attributes]
    assert len(ids) == len(set(ids))


def test_packs_tell_status_drift_and_what_holds_them() -> None:
    said = {row.text for row in rows(packs_page(packs_view(), ANN))}
    (drifted,) = [each for each in said if "Sales Data Q1" in each]
    assert "changed by hand: comment, recipients, by eve@example.com" in drifted
    (held,) = [each for each in said if "Store Visits" in each]
    assert "suspended until 2026-11-24 09:30 UTC by ann" in held
    (failed,) = [each for each in said if "Salaries" in each]
    assert "the owner lost SELECT" in failed
    assert len(said) == len(STATES)


def test_the_way_to_the_next_page_keeps_what_was_asked_for() -> None:
    asked = replace(packs_view(), narrowed=Filter(text="q 1", business_line="Finance"), is_later=True)
    hrefs = {each.text: each.attributes["href"] for each in parse(packs_page(asked, ANN)) if each.tag == "a"}
    assert hrefs["Next →"] == "/?text=q+1&business_line=Finance&after=next-cursor"
    assert hrefs["← First page"] == "/?text=q+1&business_line=Finance"


def test_no_pack_at_all_and_none_that_is_like_that_are_different_things() -> None:
    empty = replace(packs_view(()), page=Page((), None, 0))
    assert "No pack is on record yet" in text_of(packs_page(empty, ANN))
    assert "No pack is like that" in text_of(packs_page(replace(empty, narrowed=Filter(text="x")), ANN))


def test_a_pack_tells_who_stands_behind_each_version() -> None:
    page = text_of(pack_page(pack_view(), ANN))
    assert "commit 1f2e3d4c5b6a · pull request example/packs#41 · approved by grace" in page
    assert "nobody is known to have approved it" in page
    assert "+ prod_catalog.sales.transactions" in page
    assert "emea-lake gains" in page


def test_statuses_on_the_way_are_told_with_the_end_they_came_to() -> None:
    entries = [each.text for each in parse(pack_page(pack_view(), ANN)) if each.tag == "li" and each.inside[-1] == "ol"]
    ends = [each for each in entries if "share/" not in each and "recipient/sales" not in each]
    assert len(ends) == 3
    assert "Creating recipients..." in ends[-1]


def test_a_long_timeline_says_what_it_leaves_out() -> None:
    rows_of_many = tuple(replace(ROWS[2], version=number) for number in range(SHOWN + 7))
    assert "… and 10 older ones" in text_of(pack_page(replace(pack_view(), rows=rows_of_many), ANN))


def test_a_pack_in_progress_asks_again_without_script_and_a_pack_at_rest_does_not() -> None:
    moving, still = (parse(pack_page(pack_view(state), ANN)) for state in (STATES[4], STATES[3]))
    for elements, count in ((moving, 1), (still, 0)):
        assert sum(each.attributes.get("http-equiv") == "refresh" for each in elements) == count
        assert sum("data-events" in each.attributes for each in elements) == count


def test_what_is_live_takes_the_place_of_the_last_plan() -> None:
    page = text_of(pack_page(pack_view(with_plan=True), ANN))
    assert "what would change now" in page
    assert "as it was submitted last" not in page


def test_the_list_tells_since_when_by_which_commit_and_by_whose_leave() -> None:
    first, *_ = rows(access_page(access_view(), ANN))
    for words in ("auditor", "prod_catalog.audit.ledger", "audit_share", "2026-08-24 09:30:00", "1f2e3d4c5b6a"):
        assert words in first.text
    assert "nobody said" in first.text


def test_a_long_list_has_pages_that_keep_the_question() -> None:
    lines = many_reads()
    page = access_page(access_view(Asked(recipient="partner", page=3), lines), ANN)
    assert len(rows(page)) == 200
    hrefs = {each.text: each.attributes["href"] for each in parse(page) if each.tag == "a"}
    assert hrefs["Next →"] == "/access?recipient=partner&page=4"
    last = access_page(access_view(Asked(page=10**6), lines), ANN)
    assert len(rows(last)) == len(lines) % 200 or 200


def test_the_matrix_has_a_cell_for_each_pair_and_says_so_in_words() -> None:
    page = access_page(access_view(Asked(view=MATRIX)), ANN)
    cells = [each for each in parse(page) if each.tag == "a" and each.text in {"●", "◐"}]
    assert len(cells) == 6
    assert [each.attributes["aria-label"] for each in cells if each.text == "◐"] == [
        "emea-lake reads a part of prod_catalog.sales.orders, since 2026-10-23 09:30:00 UTC"
    ]
    assert cells[0].attributes["href"] == "/access?recipient=auditor&object=prod_catalog.audit.ledger"


def test_a_matrix_that_is_too_large_says_what_it_leaves_out() -> None:
    page = access_page(access_view(Asked(view=MATRIX), many_reads(RECIPIENTS + 1, 4)), ANN)
    assert f"Of {RECIPIENTS + 1} recipients and 4 data objects, the first {RECIPIENTS} and {OBJECTS}" in text_of(page)
    assert sum(each.tag == "th" and "thead" in each.inside for each in parse(page)) == RECIPIENTS + 1


def test_problems_are_told_with_their_spot_and_what_to_write() -> None:
    page = text_of(upload_page(upload_view(problems=PROBLEMS), ANN))
    assert "sales.yaml has 1 problem; nothing was handed in" in page
    assert "sales.yaml:12:5 no such recipient: sales-analist" in page
    assert "→ write sales-analyst" in page


def test_only_a_file_that_was_tried_can_be_handed_in() -> None:
    actions = {each.attributes.get("action") for each in parse(upload_page(upload_view(), ANN)) if each.tag == "form"}
    assert "/upload/submit" not in actions
    tried = parse(upload_page(upload_view(with_plan=True), ANN))
    assert "/upload/submit" in {each.attributes.get("action") for each in tried if each.tag == "form"}


def test_who_may_only_look_is_offered_nothing_else() -> None:
    elements = parse(packs_page(packs_view(), GUEST))
    assert "/upload" not in {each.attributes.get("href") for each in elements}
    assert "/sign-in" in {each.attributes.get("href") for each in elements}
    assert "/sign-out" not in {each.attributes.get("action") for each in elements}
