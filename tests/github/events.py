"""Events as GitHub hands them to workflows: https://docs.github.com/en/webhooks/webhook-events-and-payloads, and for
`schedule`, which is no webhook, the fields a workflow finds in `github.event`."""

import subprocess
from datetime import datetime
from typing import Any

from tests.github.forms import Forms, Json, moment
from tests.github.records import Pull, User
from tests.github.state import World

_NOBODY = "0" * 40


class Events:
    def __init__(self, world: World, forms: Forms) -> None:
        self._world = world
        self._forms = forms

    def pull_request(self, pull: Pull, action: str, sender: User, before: str | None = None) -> Json:
        """`action`: opened, synchronize (with the head before), reopened, labeled, closed, …"""
        event = {"action": action, "number": pull.number, "pull_request": self._forms.pull(pull)}
        if action == "synchronize":
            event |= {"before": before or pull.head, "after": pull.head}
        return event | self._around(sender)

    def push(self, ref: str, before: str | None, after: str, sender: User) -> Json:
        old = before or _NOBODY
        commits = [] if before is None else self._world.git.between(before, after)[::-1]
        repository = self._forms.repository()
        # In this event, these are seconds since 1970.
        repository |= {"master_branch": "main", "stargazers": 0, "pushed_at": int(self._world.now().timestamp())}
        repository["owner"] |= {"name": repository["owner"]["login"], "email": None}
        return {
            "ref": ref, "before": old, "after": after, "created": before is None, "deleted": False,
            "forced": before is not None and self._is_rewound(before, after), "base_ref": None,
            "compare": f"{self._forms.site}/{self._world.full_name}/compare/{old[:12]}...{after[:12]}",
            "commits": [self._commit(each) for each in commits], "head_commit": self._commit(after),
            "repository": repository,
            "pusher": {"name": sender.login, "email": f"{sender.login}@users.noreply.github.com"},
            "sender": self._forms.user(sender),
        }  # fmt: skip

    def issue_comment(self, number: int, comment_id: int, sender: User) -> Json:
        issue = self._world.issues[number]
        comment = next(each for each in issue.comments if each.id == comment_id)
        told = {"issue": self._forms.issue(issue), "comment": self._forms.comment(issue, comment)}
        return {"action": "created", **told, **self._around(sender)}

    def schedule(self, cron: str, workflow: str) -> Json:
        return {"schedule": cron, "workflow": workflow, "repository": self._forms.repository()}

    def workflow_dispatch(self, ref: str, workflow: str, inputs: dict[str, str], sender: User) -> Json:
        return {"inputs": inputs or None, "ref": ref, "workflow": workflow, **self._around(sender)}

    def _around(self, sender: User) -> Json:
        return {"repository": self._forms.repository(), "sender": self._forms.user(sender)}

    def _commit(self, commit: str) -> Json:
        shown = self._world.git.git("show", "--no-patch", "--format=%T%n%an%n%ae%n%cn%n%ce%n%cI%n%B", commit)
        tree, author, email, committer, address, at, message = shown.split("\n", 6)
        names: dict[str, list[str]] = {"A": [], "D": [], "M": []}
        for line in self._world.git.git("show", "--format=", "--name-status", "--no-renames", commit).splitlines():
            kind, _, path = line.partition("\t")
            names.setdefault(kind[:1], []).append(path)
        known: dict[str, Any] = {
            "id": commit, "tree_id": tree, "distinct": True, "message": message.strip(),
            "timestamp": moment(datetime.fromisoformat(at)),
            "url": f"{self._forms.site}/{self._world.full_name}/commit/{commit}",
            "author": {"name": author, "email": email}, "committer": {"name": committer, "email": address},
            "added": names["A"], "removed": names["D"], "modified": names["M"],
        }  # fmt: skip
        return known

    def _is_rewound(self, before: str, after: str) -> bool:
        try:
            self._world.git.git("merge-base", "--is-ancestor", before, after)
        except subprocess.CalledProcessError:
            return True
        return False


def variables(kind: str, payload: Json, world: World, forms: Forms) -> dict[str, str]:
    """https://docs.github.com/en/actions/reference/variables-reference#default-environment-variables, as far as they
    tell of the event."""
    return {
        "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_API_URL": forms.api, "GITHUB_SERVER_URL": forms.site,
        "GITHUB_REPOSITORY": world.full_name, "GITHUB_REPOSITORY_OWNER": world.full_name.split("/")[0],
        "GITHUB_EVENT_NAME": kind, "GITHUB_RUN_NUMBER": "1", "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_ACTOR": payload.get("sender", {}).get("login", ""), **_place(kind, payload, world),
    }  # fmt: skip


def _place(kind: str, payload: Json, world: World) -> dict[str, str]:
    if kind == "pull_request":
        pull = payload["pull_request"]
        # The commit is that of the trial merge, not of the branch.
        return {
            "GITHUB_REF": f"refs/pull/{payload['number']}/merge", "GITHUB_REF_NAME": f"{payload['number']}/merge",
            "GITHUB_SHA": pull["merge_commit_sha"] or "", "GITHUB_HEAD_REF": pull["head"]["ref"],
            "GITHUB_BASE_REF": pull["base"]["ref"],
        }  # fmt: skip
    ref = payload.get("ref", "refs/heads/main")
    return {
        "GITHUB_REF": ref, "GITHUB_REF_NAME": ref.removeprefix("refs/heads/"),
        "GITHUB_SHA": payload.get("after") or world.git.git("rev-parse", ref),
        "GITHUB_HEAD_REF": "", "GITHUB_BASE_REF": "",
    }  # fmt: skip
