"""The workflows and actions please the linters; broken ones do not."""

import shutil
from pathlib import Path

import pytest

from tests.workflows.linting import TOP, complaints


def test_the_workflows_and_actions_please_the_linters() -> None:
    assert list(complaints(TOP)) == []


CHECKOUT = "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2"
TIMEOUT = "    timeout-minutes: 120\n"
SAID = ('echo "::stop-commands::$quiet"', 'echo "${{ github.event.comment.body }}"')
LEFT = ("          persist-credentials: false\n", "")
FOREIGN = ("  pull_request:", "  pull_request_target:")
DATABASE = ("steps.login.outputs.database", "steps.logon.outputs.database")

TIMELY = "custom.github-workflows-require-timeout"

#: What is wrong: who finds it, in which file, what is there instead of what, and a word of what is said.
BROKEN = {
    "an unknown key": ("actionlint", "plan.yml", "timeout-minutes: 30", "time-out: 30", "time-out"),
    "no time limit": (TIMELY, "apply.yml", TIMEOUT, "", "timeout-minutes"),
    "an unknown key in an action": (
        "vendor.github-actions",
        "action.yml",
        "using: composite",
        "use: composite",
        "runs",
    ),
    "a wrong expression": ("actionlint", "plan.yml", "HOST != ''", "HOST !== ''", "expression"),
    "an input that there is not": ("actionlint", "plan.yml", "          key-vault:", "          key-valt:", "key-valt"),
    "a step that there is not": ("actionlint", "plan.yml", *DATABASE, "logon"),
    "an action by its tag": ("zizmor", "validate.yml", CHECKOUT, "actions/checkout@v6", "unpinned-uses"),
    "a comment in a script": ("zizmor", "apply.yml", *SAID, "template-injection"),
    "an input in a script": ("zizmor", "action.yml", 'case "$VERSION" in', "case ${{ inputs.version }} in", "template"),
    "rights for code of others": ("zizmor", "plan.yml", *FOREIGN, "dangerous-triggers"),
    "rights for all": ("zizmor", "drift.yml", "permissions: {}", "permissions: write-all", "excessive-permissions"),
    "credentials left behind": ("zizmor", "drift.yml", *LEFT, "artipacked"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_what_is_broken_is_found(fault: str, tmp_path: Path) -> None:
    linter, file, good, bad, words = BROKEN[fault]
    shutil.copytree(TOP / ".github", tmp_path / ".github")
    # Where a repository ends is where actionlint looks for its actions.
    (tmp_path / ".git").mkdir()
    path = tmp_path / ".github" / ("actions/sharepack" if file == "action.yml" else "workflows") / file
    text = path.read_text(encoding="utf-8")
    assert good in text
    path.write_text(text.replace(good, bad), encoding="utf-8")
    found = complaints(tmp_path, linter)
    assert any(words in each for each in found), found
