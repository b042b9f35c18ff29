"""What stands out in a plan: effects, objections and their lifts, what is degraded, who changed what."""

from dataclasses import replace

import pytest

from reconciler.core.guard import Objection
from reconciler.core.key import share_key
from reconciler.core.plan import Degraded, Seen, Step
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.severity import Effect
from reconciler.core.share import ObjectType, Share, SharedObject
from reconciler.core.verdict import Delete, Drifted, Keep
from reconciler.render.degraded_text import remedy
from reconciler.render.drift_text import seen_span
from reconciler.render.effect_text import effect_span
from reconciler.render.element_text import element_text, object_title, value_text
from reconciler.render.lines import Style, Tone, line, render
from reconciler.render.moments import span, utc
from reconciler.render.objection_text import how_to_lift
from reconciler.render.plan_text import plan_text
from reconciler.render.step_json import step_value
from reconciler.render.summary import summarize
from tests.render.plans import NOW, PARTNER, SALES, Scene, plan_of, table
from tests.render.scenes import scenes

SCENES = scenes()
KEY = share_key("sales_q1_share", "https://w")


@pytest.mark.parametrize("effect", Effect)
def test_what_breaks_or_revokes_all_stands_out_without_colour_too(effect: Effect) -> None:
    said = effect_span(effect)
    is_loud = effect in {Effect.BREAKS, Effect.REVOKES_ALL}
    assert effect.words in said.text
    assert said.text.startswith("!! ") is is_loud
    assert (said.tone is Tone.TROUBLE) is is_loud


def test_a_plan_opens_with_who_gains_and_loses_and_then_how_bad_it_is() -> None:
    lines = plan_text(SCENES["removed"]).splitlines()
    assert lines[2] == "access"
    assert lines[6] == "effects  2 revokes all"
    assert lines[8].startswith("sharepacks/")


def test_held_steps_are_counted_apart_and_the_worst_comes_first() -> None:
    assert "effects  1 metadata only; held: 1 revokes all" in plan_text(SCENES["uncommitted"])
    assert "effects  held: 1 revokes all, 1 widens access" in plan_text(SCENES["objected"])


def test_nobody_is_told_that_no_object_changes_hands_when_a_recipient_goes() -> None:
    recipient = Recipient("lonely", TokenSharing())
    text = plan_text(plan_of(Scene([], [recipient], [recipient], is_removed=True)))
    assert "nobody gains" not in text
    assert "it loses every share granted to it" in text


def test_what_one_pack_takes_and_another_gives_is_no_loss() -> None:
    closed = replace(SALES, recipients=frozenset())
    other = replace(SALES, name="other_share")
    unread = replace(other, recipients=frozenset())
    taking = Scene([PARTNER, closed], [PARTNER, SALES], [PARTNER, SALES])
    alone = plan_text(plan_of(taking))
    both = plan_text(plan_of(taking, Scene([other], [unread], [unread], project="Another")))
    assert "- sales-analyst" in alone
    assert "loses 2, then reads nothing" in alone
    assert "loses" not in both
    assert "held" not in both


def test_an_objection_says_the_exact_words_that_lift_it_and_nothing_for_one_that_nothing_lifts() -> None:
    assert how_to_lift(Objection("r", "m", "h", "delete:share/x")) == (
        "to allow it: --allow delete:share/x, or in the pack: "
        "allow: [{action: delete:share/x, until: YYYY-MM-DD, reason: …}]"
    )
    assert how_to_lift(Objection("r", "m", "h")) == ""


def test_words_that_a_shell_would_split_are_quoted() -> None:
    assert "--allow 'delete:share/a b'" in how_to_lift(Objection("r", "m", "h", "delete:share/a b"))


def test_lifted_objections_are_shown_as_allowed_by_name() -> None:
    text = plan_text(SCENES["lifted"])
    assert "allowed by name: replace:recipient/oidc-partner" in text
    assert "to allow it" not in text
    values = [step_value(step, with_calls=False) for step in SCENES["lifted"].steps]
    assert ["replace:recipient/oidc-partner"] in [value["lifted"] for value in values]


def test_the_json_of_an_objection_has_the_words_that_lift_it() -> None:
    values = [step_value(step, with_calls=False) for step in SCENES["objected"].steps]
    assert [[each["lift"] for each in value["objections"]] for value in values] == [
        ["replace:recipient/oidc-partner"],
        ["open-ips:recipient/sales-analyst"],
    ]


@pytest.mark.parametrize(
    ("degraded", "said"),
    [
        (Degraded("c.s.t", "svc", "SELECT on TABLE c.s.t"), "grant SELECT on TABLE c.s.t to svc, or give"),
        (Degraded("c.s.t", "svc"), "look whether svc may read c.s.t"),
        (Degraded("c.s.t", "", "SELECT on TABLE c.s.t"), "to the owner of the share"),
    ],
)
def test_what_is_degraded_says_what_to_grant_to_whom(degraded: Degraded, said: str) -> None:
    assert said in remedy(degraded)


def test_degraded_objects_are_counted_and_a_pack_with_nothing_else_is_still_shown() -> None:
    plan = plan_of(Scene([SALES], [SALES], [SALES]))
    (pack,) = plan.packs
    objects = tuple(Degraded(f"c.s.t{number:02}", "svc") for number in range(25))
    step = Step(pack.steps[0].key, Keep(SALES), SALES, degraded=objects)
    text = plan_text(replace(plan, packs=(replace(pack, steps=(step,)),)))
    assert "! share/sales_q1_share  in sync and degraded" in text
    assert "… and 5 more (--full shows all)" in text
    assert text.endswith("1 unchanged. 25 data objects degraded.\n")
    assert summarize([step]).as_dict()["degraded"] == 25


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (None, ""),
        (Seen("owner"), ""),
        (Seen("", "eve"), "   last changed by eve\n"),
        (Seen("", "", NOW), "   last changed 2026-11-22 09:30:00 UTC\n"),
        (Seen("", "eve", NOW), "   last changed 2026-11-22 09:30:00 UTC by eve\n"),
    ],
)
def test_who_changed_it_and_when_is_said_as_far_as_it_is_told(seen: Seen | None, said: str) -> None:
    assert render([line(*seen_span(seen))] if seen_span(seen) else []) == said


def test_reported_drift_says_that_nothing_is_done_and_what_would_correct_it() -> None:
    text = plan_text(SCENES["reported"])
    assert text.count("drift: report") == 3
    assert "write `drift: correct` in the pack" in text
    assert "effects" not in text
    assert text.splitlines()[-1].endswith("0 unchanged. 3 drifted. 3 only reported.")


def test_reported_drift_in_json_has_all_three_states_and_what_a_correction_would_do() -> None:
    values = {step.key.name: step_value(step, with_calls=True) for step in SCENES["reported"].steps}
    value = values["sales-analyst"]
    assert (value["verdict"], value["effect"], value["correction"], value["calls"]) == (
        "drifted",
        "none",
        "narrows",
        [],
    )
    assert value["seen"] == {
        "owner": "data-owners",
        "updated_by": "eve@example.com",
        "updated_at": "2026-11-19T09:30:00Z",
    }
    address, comment = value["changes"]
    assert (address["recorded"], address["actual"], address["desired"]) == (False, True, False)
    assert comment["recorded"] == comment["desired"] == "Analysts at the partner"
    assert values["oidc-partner"]["before"] is None


def test_a_deletion_by_hand_that_is_only_reported_is_kept_by_taking_it_out_of_the_file() -> None:
    plan = plan_of(Scene([SALES], [SALES], [SALES]))
    (pack,) = plan.packs
    step = Step(pack.steps[0].key, Drifted(None, ()), SALES)
    text = plan_text(replace(plan, packs=(replace(pack, steps=(step,)),)))
    assert "correcting it makes it anew" in text
    assert "take it out of the file" in text


def test_a_stream_of_ascii_gets_ascii_signs() -> None:
    text = plan_text(SCENES["names_and_kinds"], Style(unicode=False)) + plan_text(
        SCENES["reported"], Style(unicode=False)
    )
    assert text.isascii()
    assert "  -/+ recipient/oidc-partner" in text
    assert "  != recipient/oidc-partner" in text


@pytest.mark.parametrize(
    ("item", "title"),
    [
        (table("c.s.t"), "c.s.t"),
        (SharedObject("c.s"), "c.s (all of the schema)"),
        (SharedObject("c.s.t"), "c.s.t"),
        (SharedObject("c.s", ObjectType.SCHEMA, shared_as="s"), "c.s (all of the schema)"),
        (SharedObject("guide.py", ObjectType.NOTEBOOK_FILE), "guide.py (notebook file)"),
        (SharedObject("c.s.t", ObjectType.TABLE, shared_as="s.t"), "c.s.t"),
        (SharedObject("c.s.t", ObjectType.TABLE, shared_as="s.u"), "c.s.t as s.u"),
        (SharedObject("c.s.t", ObjectType.TABLE, shared_as=""), "c.s.t"),
    ],
)
def test_an_object_is_called_by_what_it_is_and_an_alias_that_says_something(item: SharedObject, title: str) -> None:
    assert object_title(item) == title


def test_history_includes_the_change_feed() -> None:
    assert element_text(SharedObject("c.s.t", ObjectType.TABLE, history=True, cdf=True)) == "c.s.t, with history"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("comment", "", '""'),
        ("owner", "ann", '"ann"'),
        ("properties.home", "", "none"),
        ("partitions", "", "all of the table"),
        ("partitions", "a = 'b'", "a = 'b'"),
        ("expires_at", "", "never"),
        ("expires_at", "2027-01-31T00:00:00Z", "2027-01-31 00:00:00 UTC"),
        ("start_version", "", "unset"),
        ("content", "1a2b", "sha256 1a2b"),
        ("content", "", "none on record"),
    ],
)
def test_a_value_reads_as_what_it_means(field: str, value: str, said: str) -> None:
    assert value_text(field, value) == said


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (90, "90 seconds"),
        (5_400, "90 minutes"),
        (86_400, "1 day"),
        (129_600, "36 hours"),
        (7_776_000, "90 days"),
    ],
)
def test_a_span_is_said_in_the_largest_unit_that_says_it_exactly(seconds: int, words: str) -> None:
    assert span(seconds) == words


def test_a_moment_that_no_calendar_has_is_still_shown() -> None:
    assert utc(NOW) == "2026-11-22 09:30:00 UTC"
    assert utc(10**18) == f"{10**18} ms after 1970"


def test_a_deleted_share_lists_all_its_readers_and_cuts_its_objects() -> None:
    share = Share(
        "s", "", frozenset(table(f"c.s.t{n:02}") for n in range(30)), frozenset(f"r{n:02}" for n in range(30))
    )
    plan = plan_of(Scene([], [share], [share], is_removed=True))
    text = plan_text(plan)
    assert all(f"- r{number:02}" in text for number in range(30))
    assert "… and 10 more (--full shows all)" in text
    empty = replace(share, recipients=frozenset())
    (pack,) = plan.packs
    step = Step(pack.steps[0].key, Delete(empty), None)
    assert "nobody reads anything through it" in plan_text(replace(plan, packs=(replace(pack, steps=(step,)),)))
