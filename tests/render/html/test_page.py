"""What the page is made of: its parts and their order, that nothing dangerous is cut, that a pack can add only text."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from reconciler.core.plan import Plan
from reconciler.core.share import Share
from reconciler.render.html import plan_page
from reconciler.render.html.page import POLICY
from reconciler.render.html.style import STYLE
from reconciler.render.lines import visible
from reconciler.render.plan_text import Detail, plan_text
from tests.render.golden_files import the_text_is_as_committed
from tests.render.html.pages import HOSTILE, hostile, many, ordinary, wide
from tests.render.html.parsed import Element, parse
from tests.render.plans import PARTNER, SALES, Scene, plan_of, table
from tests.render.scenes import scenes

SCENES = scenes()
PAGES: dict[str, Plan] = {**SCENES, "ordinary": ordinary(), "wide": wide(), "hostile": hostile()}
GOLDEN = ("changed", "drifted", "objected", "names_and_kinds", "every_change", "ordinary")
PICTURE = {"svg", "g", "path", "circle", "rect", "text", "tspan", "title"}
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "nav", "main", "section", "footer", "h1", "h2", "h3"),
    *("h4", "p", "div", "span", "small", "ul", "li", "a", "bdi", "code", "details", "summary", "fieldset", "legend"),
    *("input", "label", "dl", "dt", "dd", *PICTURE),
}
ATTRIBUTES = {
    *("class", "id", "href", "lang", "charset", "http-equiv", "content", "name", "open", "checked", "type", "for"),
    *(
        "tabindex",
        "role",
        "aria-label",
        "aria-hidden",
        "style",
        "viewbox",
        "width",
        "height",
        "transform",
        "d",
        "x",
        "y",
    ),
    *("cx", "cy", "r", "rx", "text-anchor"),
}
#: Attributes that hold words; every other one is of a small alphabet that the page makes itself.
WORDED = {"aria-label", "content"}


def texts(page: str, tag: str) -> list[str]:
    return [element.text for element in parse(page) if element.tag == tag]


def part(elements: list[Element], anchor: str) -> Element:
    (found,) = (each for each in elements if each.attributes.get("id") == anchor)
    return found


@pytest.mark.parametrize("name", GOLDEN)
def test_the_page_of_a_plan_is_as_committed(name: str) -> None:
    page = plan_page(PAGES[name], ending="Nothing was changed.")
    assert STYLE.html in page
    the_text_is_as_committed(f"{name}.html", page.replace(STYLE.html, "").replace("><", ">\n<"))


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_well_formed_and_made_of_known_parts(name: str) -> None:
    elements = parse(plan_page(PAGES[name]))
    assert {each.tag for each in elements} <= TAGS
    assert {attribute for each in elements for attribute in each.attributes} <= ATTRIBUTES
    ids = [each.attributes["id"] for each in elements if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    for each in elements:
        for attribute, value in each.attributes.items():
            assert attribute in WORDED or re.fullmatch(r"[\w #.:;,%()-]*", value), (attribute, value)
        if each.tag == "style":
            assert each.inside == ("html", "head")
        if "href" in each.attributes:
            assert each.attributes["href"].removeprefix("#") in ids
        if "style" in each.attributes:
            assert re.fullmatch(r"min-width:\d+px;max-width:\d+px", each.attributes["style"])


@pytest.mark.parametrize("name", PAGES)
def test_headings_go_down_one_level_at_a_time(name: str) -> None:
    levels = [int(each.tag[1]) for each in parse(plan_page(PAGES[name])) if re.fullmatch(r"h\d", each.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(lower - higher <= 1 for higher, lower in pairwise(levels))


def test_a_page_may_load_nothing_and_sends_nothing() -> None:
    page = plan_page(PAGES["ordinary"])
    assert POLICY.startswith("default-src 'none'; style-src 'unsafe-inline'")
    (policy,) = (each for each in parse(page) if each.attributes.get("http-equiv") == "Content-Security-Policy")
    assert policy.attributes["content"] == POLICY
    (style,) = texts(page, "style")
    assert "url(" not in style
    assert "@import" not in style
    assert "http" not in page.replace("http-equiv", "")


@pytest.mark.parametrize("title", ["Plan", *HOSTILE])
def test_a_title_is_text(title: str) -> None:
    page = plan_page(PAGES["quiet"], title)
    assert texts(page, "h1") == [visible(title)]
    assert texts(page, "title") == [visible(title)]


def test_whatever_a_pack_says_is_text() -> None:
    page = plan_page(PAGES["hostile"], listed=10_000)
    elements = parse(page)
    shown = elements[0].text
    for words in HOSTILE:
        long = visible(words)[:200]
        assert shown.count(long) >= 10, words
    assert all(char.isprintable() or char == "\n" for char in page)
    assert not {each.tag for each in elements} & {"script", "img", "i", "b", "link", "iframe", "form"}


def test_every_word_of_the_text_is_on_the_page() -> None:
    for name in GOLDEN:
        page = parse(plan_page(PAGES[name]))[0].text
        for line in plan_text(PAGES[name], detail=Detail(listed=100)).splitlines():
            for word in line.split():
                bare = word.strip(",;():!")
                assert bare in page or bare in {"access", "=", "workspace"}, (name, line)


def test_the_parts_stand_in_the_order_in_which_a_reviewer_worries() -> None:
    elements = parse(plan_page(replace(PAGES["changed"], packs=PAGES["changed"].packs + PAGES["objected"].packs)))
    assert [each.attributes["id"] for each in elements if "part" in each.classes] == [
        "access",
        "graph",
        "packs",
        "drift",
        "held",
    ]
    links = [each.attributes["href"] for each in elements if each.tag == "a"]
    assert links == ["#access", "#graph", "#packs", "#drift", "#held"]


def test_parts_without_anything_to_say_are_left_out() -> None:
    elements = parse(plan_page(PAGES["quiet"]))
    assert [each.attributes["id"] for each in elements if "part" in each.classes] == ["packs"]


def test_the_top_says_how_many_gain_and_lose_and_how_bad_it_is() -> None:
    (top,) = (each for each in parse(plan_page(PAGES["ordinary"])) if "effects" in each.classes)
    assert top.text == "access  3 recipients: 2 gain, 2 loseeffects  2 narrows access"


def test_those_who_gain_come_first_and_every_object_is_named() -> None:
    elements = parse(plan_page(PAGES["wide"]))
    cards = [each for each in elements if "card" in each.classes]
    assert [card.text.split("D2")[0] for card in cards] == ["+emea-lake", "+sales-analyst", "-auditor"]
    gained = [f"prod_catalog.{('core', 'finance', 'sales')[n % 3]}.table_{n:02}" for n in (*range(6), *range(50, 60))]
    assert all(f"+ {name}" in cards[0].text for name in gained)
    assert "gains 16" in cards[0].text
    assert "then reads 10" in cards[2].text


def test_recipients_of_the_same_long_list_share_it() -> None:
    objects = frozenset(table(f"c.s.t{number:03}") for number in range(41))
    readers = [replace(PARTNER, name=f"partner-{number}") for number in range(3)]
    share = Share("s", "", objects, frozenset(each.name for each in readers))
    cards = [each for each in parse(plan_page(plan_of(Scene([*readers, share])))) if "card" in each.classes]
    assert [all(f"partner-{number}" in card.text for number in range(3)) for card in cards] == [True]
    assert cards[0].text.count("c.s.t040") == 1
    few = replace(share, objects=frozenset({table("c.s.t")}))
    apart = [each for each in parse(plan_page(plan_of(Scene([*readers, few])))) if "card" in each.classes]
    assert [card.text.count("c.s.t") for card in apart] == [1, 1, 1]


def test_no_all_clear_where_something_is_revoked_without_an_object_changing_hands() -> None:
    assert "nobody gains or loses" in plan_page(PAGES["big"])
    assert "nobody gains or loses" not in plan_page(PAGES["removed"])
    assert "nobody gains or loses" not in plan_page(PAGES["objected"])


def test_the_revision_and_the_whole_fingerprint_are_told() -> None:
    plan = PAGES["ordinary"]
    (footer,) = texts(plan_page(plan), "footer")
    assert plan.revision.commit in footer
    assert plan.fingerprint in footer
    assert plan.packs[0].fingerprint in plan_page(plan)


def test_objections_are_told_with_the_words_that_lift_them() -> None:
    held = part(parse(plan_page(PAGES["objected"])), "held").text
    assert "2 held, and the words that lift them" in held
    assert "--allow replace:recipient/oidc-partner" in held
    assert "--allow open-ips:recipient/sales-analyst" in held
    assert "allowed by name: open-ips:recipient/sales-analyst" in part(parse(plan_page(PAGES["lifted"])), "held").text


def test_conflicts_and_what_cannot_be_read_are_held() -> None:
    held = part(parse(plan_page(PAGES["in_the_way"])), "held").text
    assert "conflict" in held
    assert "nothing is done about it until it can be read" in held


def test_a_long_list_of_objects_is_cut_visibly_in_the_steps_only() -> None:
    cut = plan_page(PAGES["wide"], listed=3)
    assert "… and 13 more changes of objects (--full shows all)" in cut
    assert "table_58" in part(parse(cut), "access").text
    assert "--full" not in plan_page(PAGES["wide"])


def test_two_workspaces_are_told_apart() -> None:
    here = plan_of(Scene([SALES], [], []))
    (pack,) = here.packs
    step = pack.steps[0]
    there = replace(step, key=replace(step.key, workspace="https://adb-999.1.azuredatabricks.net"))
    free = [replace(each, objections=()) for each in (step, there)]
    headings = texts(plan_page(replace(here, packs=(replace(pack, steps=tuple(free)),))), "h3")
    assert headings[:2] == ["in adb-1112223334445556", "in adb-999"]
    assert headings.count("in adb-999") == 2


def test_the_page_of_300_packs_is_small_enough_to_open_and_names_every_gain() -> None:
    page = plan_page(many())
    assert len(page.encode()) < 4_000_000
    elements = parse(page)
    access = part(elements, "access").text
    assert all(access.count(f"prod_catalog.line_{n:03}.table_19") == (2 if n % 3 == 0 else 1) for n in range(299))
    assert "drawn as one; each is named under Access" in page
    assert sum(each.tag == "details" and "pack" in each.classes for each in elements) == 299
    assert not any("open" in each.attributes for each in elements if "pack" in each.classes)
