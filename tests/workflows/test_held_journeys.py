"""What was approved is what runs: plans that grew, harmless pull requests that are not harmless together, failures, and
words by hand."""

import re
from pathlib import Path

from tests.workflows.golden_comments import the_comment_is_as_committed
from tests.workflows.packs import CUSTOMERS, Q1, REFUNDS, TRANSACTIONS, pack
from tests.workflows.scene import Scene

WIDER = f"{Q1}      - {CUSTOMERS}\n"


def approval(comment: str) -> str:
    (found,) = re.findall(r"^To approve it: `(sharepack approve [0-9a-f]{16})`$", comment, re.MULTILINE)
    return str(found)


def test_a_plan_that_grew_after_it_was_approved_waits_for_words(scene: Scene) -> None:
    scene.hub.disabled = frozenset({"validate"})
    number = scene.open("q1", {"sales/q1.yaml": Q1})
    scene.github.review(number, "rita", "APPROVED")
    # Pushed and merged at once: nobody was shown the plan of it.
    scene.commit("q1", {"sales/q1.yaml": WIDER})
    (held,) = scene.merge(number, by="ada", approved_by=None)
    assert held.conclusion == "failure", held.log
    assert scene.objects("q1") == []
    the_comment_is_as_committed(scene, "grown", scene.comment(number))
    assert scene.github.statuses(scene.main)["sharepack/apply"][0] == "failure"

    words = approval(scene.comment(number))
    (nobody,) = scene.say(number, "mallory", words)
    assert nobody.conclusion == "failure"
    assert scene.objects("q1") == []
    (approved,) = scene.say(number, "rita", f"Seen.\n{words}")
    assert approved.conclusion == "success", approved.log
    assert (scene.objects("q1"), scene.readers("q1")) == ([CUSTOMERS, TRANSACTIONS], ["partner-x"])
    the_comment_is_as_committed(scene, "grown-and-approved", scene.comment(number))
    assert "rita (words)" in scene.history("share/q1")["approved_by"]


def test_two_harmless_pull_requests_that_expose_a_table_together_are_held(scene: Scene) -> None:
    scene.hub.disabled = frozenset({"validate"})
    base = pack("Base", recipients=("insider", "outsider"), share="base", readers=("insider",), objects=(TRANSACTIONS,))
    scene.merge(scene.open("base", {"base.yaml": base}))
    table = base.replace(f"      - {TRANSACTIONS}\n", f"      - {TRANSACTIONS}\n      - {CUSTOMERS}\n")
    reader = base.replace("recipients: [insider]", "recipients: [insider, outsider]")
    adds_table, adds_reader = scene.open("table", {"base.yaml": table}), scene.open("reader", {"base.yaml": reader})
    assert "outsider" not in scene.comment(adds_table)
    assert CUSTOMERS not in scene.comment(adds_reader)
    (first,) = scene.merge(adds_table)
    assert first.conclusion == "success", first.log
    (second,) = scene.merge(adds_reader)
    assert second.conclusion == "failure", second.log
    assert (scene.objects("base"), scene.readers("base")) == ([CUSTOMERS, TRANSACTIONS], ["insider"])
    the_comment_is_as_committed(scene, "harmless-together", scene.comment(adds_reader))
    (approved,) = scene.say(adds_reader, "rita", approval(scene.comment(adds_reader)))
    assert approved.conclusion == "success", approved.log
    assert scene.readers("base") == ["insider", "outsider"]


def test_a_failed_apply_is_told_on_the_merged_pull_request(scene: Scene) -> None:
    scene.hub.disabled = frozenset({"validate"})
    number = scene.open("q1", {"sales/q1.yaml": Q1})
    scene.control.fault("PATCH /api/2.1/unity-catalog/shares/q1", status=400, error_code="INVALID_STATE")
    (failed,) = scene.merge(number)
    assert failed.conclusion == "failure"
    the_comment_is_as_committed(scene, "failed", scene.comment(number))
    assert scene.github.statuses(scene.main)["sharepack/apply"][0] == "failure"

    scene.control.clear_faults()
    (mended,) = scene.dispatch("apply")
    assert mended.conclusion == "success", mended.log
    the_comment_is_as_committed(scene, "failed-and-mended", scene.comment(number))
    assert scene.objects("q1") == [TRANSACTIONS]


def test_words_given_by_hand_are_words_and_nothing_else(scene: Scene, tmp_path: Path) -> None:
    scene.hub.disabled = frozenset({"validate", "plan"})
    commands = "##[error]forged ::error::forged"
    text = pack("Q1", share="q1", readers=(), objects=(TRANSACTIONS,), comment=f'"{commands}"')
    number = scene.open("q1", {"sales/q1.yaml": text})
    (held,) = scene.merge(number)
    assert held.conclusion == "failure"
    # What a pack says is text in the log, and no command to GitHub.
    step = held.job.step("Apply")
    assert (commands in step.log, step.annotations) == (True, ())
    trap = tmp_path / "trap"
    for text in (f'$(touch "{trap}")', f'"; touch "{trap}"; "', "--help", "--auto-approve --no-wait"):
        (run,) = scene.dispatch("apply", {"allow": text})
        assert run.conclusion == "failure"
        assert "it lifts that one and no other" in run.job.step("Apply").log
    assert not trap.exists()
    lift = approval(scene.comment(number)).removeprefix("sharepack approve ")
    (run,) = scene.dispatch("apply", {"allow": f"\napprove:{lift}\n"})
    assert run.conclusion == "success", run.log
    assert scene.objects("q1") == [TRANSACTIONS]


def test_changes_made_by_hand_are_kept_in_one_issue(scene: Scene) -> None:
    scene.hub.disabled = frozenset({"validate"})
    scene.merge(scene.open("q1", {"sales/q1.yaml": Q1}))
    look = {"by": "ada", "cron": "17 5 * * *"}
    (clean,) = scene.hub.happen("schedule", **look)
    assert clean.conclusion == "success", clean.log
    assert scene.github.issues("all") == []

    scene.by_hand("q1", add=CUSTOMERS)
    (found,) = scene.hub.happen("schedule", **look)
    assert found.conclusion == "success", found.log
    ((number, title, text),) = scene.github.issues()
    the_comment_is_as_committed(scene, "drift", f"{title}\n\n{text}")

    scene.by_hand("q1", add=REFUNDS)
    scene.hub.happen("schedule", **look)
    ((same, title, text),) = scene.github.issues()
    assert same == number
    the_comment_is_as_committed(scene, "more-drift", f"{title}\n\n{text}")

    scene.by_hand("q1", remove=CUSTOMERS)
    scene.by_hand("q1", remove=REFUNDS)
    scene.hub.happen("schedule", **look)
    assert (scene.github.issues(), len(scene.github.issues("all"))) == ([], 1)
