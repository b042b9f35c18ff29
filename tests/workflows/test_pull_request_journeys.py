"""Packs from pull request to Databricks, by the workflows alone: comments whole, what is shared then, who approved."""

import json

from tests.workflows.golden_comments import the_comment_is_as_committed
from tests.workflows.packs import CUSTOMERS, Q1, REFUNDS, TRANSACTIONS, pack
from tests.workflows.scene import APPLY, Scene

WIDER = f"{Q1}      - {CUSTOMERS}\n"


def test_a_pull_request_is_shown_followed_merged_and_applied(scene: Scene) -> None:
    scene.hub.disabled = frozenset({"validate"})
    number = scene.open("q1", {"sales/q1.yaml": Q1}, title="Share Q1")
    (plan,) = scene.hub.runs
    assert plan.conclusion == "success", plan.log
    assert plan.job.permissions["id-token"] == "write"
    the_comment_is_as_committed(scene, "new", scene.comment(number))
    assert plan.job.summary == scene.comment(number) + "\n"
    artefact = plan.artefacts / "sharepack-plan"
    assert sorted(path.name for path in artefact.iterdir()) == ["comment.md", "plan.html", "plan.json"]
    assert (
        json.loads((artefact / "plan.json").read_text(encoding="utf-8"))["packs"][0]["path"]
        == "sharepacks/sales/q1.yaml"
    )

    scene.push(number, {"sales/q1.yaml": WIDER})
    assert len(scene.comments(number)) == 1
    the_comment_is_as_committed(scene, "second-push", scene.comment(number))
    state, _, url = scene.github.statuses(scene.github.pull(number).head)["sharepack/plan"]
    assert (state, url is not None and "#issuecomment-" in url) == ("success", True)
    assert scene.github.labels(number) == {"sharepack: widens access"}
    assert scene.objects("q1") == []

    scene.hub.environments[APPLY].reviewer = "olga"
    (apply,) = scene.merge(number)
    assert apply.conclusion == "success", apply.log
    assert (scene.objects("q1"), scene.readers("q1")) == ([CUSTOMERS, TRANSACTIONS], ["partner-x"])
    assert len(scene.comments(number)) == 1
    assert scene.github.statuses(scene.main)["sharepack/apply"][:2] == ("success", "applied 1 pack")
    history = scene.history("share/q1")
    assert history["pull_requests"] == "acme/packs#1"
    assert history["approved_by"] == f"rita (review), olga (environment {APPLY})"


def test_a_renamed_file_is_the_same_pack(scene: Scene) -> None:
    scene.hub.disabled = frozenset({"validate"})
    scene.merge(scene.open("q1", {"sales/q1.yaml": Q1}))
    number = scene.open("move", {"sales/q1.yaml": None, "sales/emea/q1.yaml": WIDER})
    the_comment_is_as_committed(scene, "renamed", scene.comment(number))
    (apply,) = scene.merge(number)
    assert apply.conclusion == "success", apply.log
    assert (scene.objects("q1"), scene.readers("q1")) == ([CUSTOMERS, TRANSACTIONS], ["partner-x"])


def test_merges_in_quick_succession_lose_nothing(scene: Scene) -> None:
    """While one is applied, two more are merged: GitHub drops the run of the first of these, and nothing else."""
    scene.hub.disabled = frozenset({"validate"})
    names = ("one", "two", "three")
    numbers = [
        scene.open(
            name, {f"{name}.yaml": pack(name, recipients=(name,), share=name, readers=(name,), objects=(REFUNDS,))}
        )
        for name in names
    ]
    scene.hub.disabled = frozenset({"validate", "plan"})
    begun: list[str] = []

    def meanwhile(step: str) -> None:
        if step == "Apply" and not begun:
            begun.append(step)
            for number in numbers[1:]:
                assert scene.merge(number)[0].conclusion == ""
            # Nobody here is concerned by this one, and it pushes nothing out.
            scene.say(numbers[2], "mallory", "When will this be there?")

    scene.hub.before_step = meanwhile
    scene.merge(numbers[0])
    assert [run.conclusion for run in scene.hub.of("apply")] == ["success", "cancelled", "success", "skipped"]
    assert [scene.readers(name) for name in names] == [["one"], ["two"], ["three"]]
    assert [scene.history(f"share/{name}")["approved_by"] for name in names] == ["rita (review)"] * 3


def test_three_hundred_packs_in_one_pull_request(scene: Scene) -> None:
    """A third of them lets an outsider in."""
    scene.hub.disabled = frozenset({"validate"})
    many = {f"line{each % 7}/p{each:03}.yaml": one_of_many(each) for each in range(300)}
    number = scene.open("many", many)
    (run,) = scene.hub.runs
    assert run.conclusion == "success", run.log
    text = scene.comment(number)
    assert len(text) <= 65_536
    # What is dangerous is there whole; the rest is cut where it can be seen, with a link to all of it.
    assert all(f"**`partner-{each:03}`**" in text for each in range(0, 300, 3))
    assert f"/actions/runs/{run.id}#artifacts" in text
    found = json.loads((run.artefacts / "sharepack-plan" / "plan.json").read_text(encoding="utf-8"))
    assert len(found["packs"]) == 300


def one_of_many(number: int) -> str:
    name = f"partner-{number:03}"
    if number % 3:
        return pack(f"P{number:03}", recipients=(name,))
    objects = (TRANSACTIONS, CUSTOMERS)
    share, comment = f"share_{number:03}", "x" * 200
    return pack(f"P{number:03}", recipients=(name,), share=share, readers=(name,), objects=objects, comment=comment)
