"""The runner itself: it does what GitHub does where these workflows lean on it, and is strict where they must not."""

import json
from collections.abc import Mapping
from textwrap import dedent, indent
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.workflows.files import FileError
from tests.workflows.hub import Environment, Hub, Run
from tests.workflows.machine import JobError

CHECKOUT = """\
- uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd
  with: {persist-credentials: false}
"""


def put(hub: Hub, jobs: str, *, on: str = "{workflow_dispatch: {}}", more: str = "", name: str = "try") -> None:
    text = f"name: {name}\non: {on}\npermissions: {{}}\n{more}jobs:\n{indent(dedent(jobs), '  ')}"
    hub.github.commit("main", {f".github/workflows/{name}.yml": text}, "Change a workflow")
    hub.disabled = frozenset({"validate", "plan", "apply", "drift"})


def job(steps: str, head: str = "permissions: {}") -> str:
    about = indent(f"runs-on: ubuntu-24.04\ntimeout-minutes: 5\n{head}", "  ")
    return f"j:\n{about}\n  steps:\n{indent(dedent(steps), '    ')}"


def run(hub: Hub) -> Run:
    (made,) = hub.happen("workflow_dispatch", by="rita", only="try")
    return made


def test_steps_hand_on_what_github_lets_them_hand_on(hub: Hub) -> None:
    put(
        hub,
        job(
            """\
            - id: one
              run: |
                echo "found=a b" >> "$GITHUB_OUTPUT"
                echo "SAID=from one" >> "$GITHUB_ENV"
                echo "$RUNNER_TEMP/tools" >> "$GITHUB_PATH"
                mkdir "$RUNNER_TEMP/tools"
                printf '#!/bin/sh\\necho ran' > "$RUNNER_TEMP/tools/mine"
                chmod +x "$RUNNER_TEMP/tools/mine"
                echo "# Summary" >> "$GITHUB_STEP_SUMMARY"
            - name: two
              env:
                FOUND: ${{ steps.one.outputs.found }}
              run: echo "$FOUND, $SAID, $(mine), $GITHUB_EVENT_NAME"
            """
        ),
    )
    done = run(hub)
    assert (done.conclusion, done.job.summary) == ("success", "# Summary\n")
    assert done.job.step("two").log.strip() == "a b, from one, ran, workflow_dispatch"


def test_a_failed_step_ends_the_job_but_for_those_that_run_all_the_same(hub: Hub) -> None:
    put(
        hub,
        job(
            """\
            - {name: fails, id: fails, run: "false"}
            - {name: not run, run: "true"}
            - {name: still, if: "!cancelled() && steps.fails.outcome == 'failure'", run: "true"}
            """
        ),
    )
    done = run(hub)
    assert [(each.name, each.outcome) for each in done.job.steps] == [
        ("fails", "failure"),
        ("not run", "skipped"),
        ("still", "success"),
    ]
    assert done.conclusion == "failure"


def test_a_job_that_needs_a_skipped_one_is_skipped(hub: Hub) -> None:
    steps = "[{name: s, run: 'true'}]"
    head = "runs-on: ubuntu-24.04, timeout-minutes: 5, permissions: {}"
    put(
        hub,
        f"""\
        a: {{if: "vars.NO != ''", {head}, steps: {steps}}}
        b: {{needs: a, {head}, steps: {steps}}}
        """,
    )
    assert {name: each.result for name, each in run(hub).jobs.items()} == {"a": "skipped", "b": "skipped"}


def asked(hub: Hub, token: str, path: str, body: Mapping[str, str] | None = None) -> int:
    """The status of the answer of GitHub's API."""
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "Content-Type": "application/json",
        "User-Agent": "tests",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    data = None if body is None else json.dumps(body).encode()
    try:
        with urlopen(Request(f"{hub.github.api_url}/repos/acme/packs/{path}", data, headers), timeout=30) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def test_a_token_has_the_permissions_of_its_job_and_ends_with_it(hub: Hub) -> None:
    step = '- {name: s, run: "true", env: {T: "${{ github.token }}"}}'
    put(hub, job(step, "permissions: {issues: write, contents: read}"))
    tokens: list[str] = []
    answers: list[int] = []

    def meanwhile(_name: str) -> None:
        tokens.extend(hub.github._world.tokens)
        answers.append(asked(hub, tokens[0], "issues", {"title": "Found"}))
        answers.append(asked(hub, tokens[0], "pulls"))

    hub.before_step = meanwhile
    done = run(hub)
    assert answers == [201, 403]
    assert [done.job.step("s").env["T"]] == tokens
    assert asked(hub, tokens[0], "issues") == 401


def test_id_tokens_are_for_jobs_that_may_have_them(hub: Hub) -> None:
    script = '- {name: s, run: "env | grep -c ^ACTIONS_ID_TOKEN || true"}'
    hub.environments["production"] = Environment()
    put(hub, job(script, "permissions: {id-token: write}\nenvironment: production"))
    assert run(hub).job.step("s").log.strip() == "2"
    put(hub, job(script, "permissions: {contents: read}\nenvironment: production"))
    assert run(hub).job.step("s").log.strip() == "0"


def test_variables_and_secrets_of_an_environment_are_its_jobs_alone(hub: Hub) -> None:
    hub.variables["WHERE"] = "repository"
    hub.environments["production"] = Environment({"WHERE": "production"}, {"KEY": "sesame"})
    script = '- {name: s, env: {W: "${{ vars.WHERE }}", K: "${{ secrets.KEY }}"}, run: "echo $W ${#K}"}'
    put(hub, job(script, "permissions: {}\nenvironment: production"))
    assert run(hub).job.step("s").log.strip() == "production 6"
    put(hub, job(script))
    assert run(hub).job.step("s").log.strip() == "repository 0"


def test_a_secret_that_is_printed_is_an_error(hub: Hub) -> None:
    hub.environments["production"] = Environment(secrets={"KEY": "sesame"})
    put(
        hub,
        job('- {env: {K: "${{ secrets.KEY }}"}, run: "echo open $K"}', "permissions: {}\nenvironment: production"),
    )
    with pytest.raises(JobError, match=r"prints a secret:\nopen \*\*\*"):
        run(hub)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ("- {uses: actions/checkout@v6}", "not pinned"),
        (f"- {{uses: evil/action@{'0' * 40}}}", "not known here"),
        (CHECKOUT.replace("{persist-credentials: false}", "{}"), r"stay behind in \.git"),
        (CHECKOUT.replace("{persist", "{submodules: true, persist"), "submodules"),
        ("- {uses: ./.github/actions/none}", "not in what was checked out"),
        ("""- {run: 'echo "a<<EOF" >> "$GITHUB_OUTPUT"'}""", "all that is known here"),
        ("""- {run: 'echo "::stop-commands::0123456789abcdef0123456789abcdef"'}""", "still stopped"),
    ],
)
def test_what_a_step_must_not_do_is_an_error(hub: Hub, steps: str, words: str) -> None:
    put(hub, job(steps, "permissions: {contents: read}"))
    with pytest.raises(JobError, match=words):
        run(hub)


@pytest.mark.parametrize(
    ("jobs", "more", "words"),
    [
        (job("- {run: 'echo ${{ github.event.comment.body }}'}"), "", "expression in a script"),
        (job("- {run: 'true'}", "permissions: {}\nstrategy: {}"), "", "strategy"),
        (job("- {run: 'true', continue-on-error: true}"), "", "continue-on-error"),
        (job("- {run: 'true'}"), "defaults: {}\n", "defaults"),
    ],
)
def test_what_a_file_must_not_say_is_an_error(hub: Hub, jobs: str, more: str, words: str) -> None:
    put(hub, jobs, more=more)
    with pytest.raises(FileError, match=words):
        run(hub)


def test_of_those_that_wait_the_newest_is_kept(hub: Hub) -> None:
    put(hub, job("- {name: s, run: 'true'}", "permissions: {}\nconcurrency: {group: one, cancel-in-progress: false}"))
    more: list[Run] = []

    def meanwhile(_name: str) -> None:
        if not more:
            more.extend(run(hub) for _ in range(3))

    hub.before_step = meanwhile
    run(hub)
    assert [each.conclusion for each in hub.runs] == ["success", "cancelled", "cancelled", "success"]


def test_a_newer_run_ends_the_one_under_way_where_its_group_says_so(hub: Hub) -> None:
    steps = "- {name: one, run: 'true'}\n- {name: two, run: 'true'}"
    put(hub, job(steps, "permissions: {}\nconcurrency: {group: one, cancel-in-progress: true}"))

    def meanwhile(name: str) -> None:
        if name == "two" and len(hub.runs) == 1:
            run(hub)

    hub.before_step = meanwhile
    first = run(hub)
    assert [each.conclusion for each in hub.runs] == ["cancelled", "success"]
    assert first.job.step("two").outcome == "skipped"


def test_a_push_starts_what_wants_its_branch_and_paths(hub: Hub) -> None:
    put(hub, job("- {name: s, run: 'true'}"), on="{push: {branches: [main], paths: ['packs/**']}}")
    before = hub.github.git.git("rev-parse", "main")
    hub.github.commit("main", {"docs/a.md": "x"}, "Docs")
    assert hub.happen("push", by="rita", before=before) == []
    hub.github.commit("main", {"packs/a.yaml": "x"}, "Pack")
    (made,) = hub.happen("push", by="rita", before=before)
    assert made.conclusion == "success"


def test_a_checkout_has_the_depth_that_was_asked_for(hub: Hub) -> None:
    count = "- {name: count, run: 'git rev-list --count HEAD; git rev-parse --verify --quiet origin/main || true'}"
    put(hub, job(CHECKOUT + count, "permissions: {contents: read}"))
    assert run(hub).job.step("count").log.split()[0] == "1"
    deep = CHECKOUT.replace("{persist", "{fetch-depth: 0, persist")
    put(hub, job(deep + count, "permissions: {contents: read}"))
    done = run(hub).job.step("count").log.split()
    assert (int(done[0]) > 2, done[1]) == (True, hub.github.git.git("rev-parse", "main"))


def test_a_checkout_of_a_branch_is_of_what_it_is_by_then(hub: Hub) -> None:
    newest = CHECKOUT.replace("{persist", "{ref: main, persist")
    tell = "- {name: tell, run: 'git rev-parse HEAD'}"
    put(hub, job(newest + tell, "permissions: {contents: read}"), on="{push: {branches: [main]}}")
    before = hub.github.git.git("rev-parse", "main")
    hub.github.commit("main", {"a": "1"}, "One")
    pushed = hub.github.git.git("rev-parse", "main")

    def meanwhile(name: str) -> None:
        if name != "tell":
            hub.github.commit("main", {"b": "2"}, "Two")

    hub.before_step = meanwhile
    (made,) = hub.happen("push", by="rita", before=before)
    assert made.event.payload["after"] == pushed
    assert made.job.step("tell").log.strip() == hub.github.git.git("rev-parse", "main") != pushed
