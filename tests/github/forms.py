"""Records as GitHub tells them: the fields of its documented schemas that a client may rely on, with their nulls."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tests.github.records import Comment, Issue, Label, Pull, Review, Run, RunApproval, Status, User
from tests.github.state import World

Json = dict[str, Any]


class Forms:
    """`api` and `site` are the addresses for programs and for people."""

    def __init__(self, world: World, api: str, site: str) -> None:
        self._world = world
        self.api = api
        self.site = site

    @property
    def home(self) -> str:
        return f"{self.api}/repos/{self._world.full_name}"

    def user(self, user: User) -> Json:
        api, page = f"{self.api}/users/{user.login}", f"{self.site}/{user.login}"
        if user.is_bot:
            page = f"{self.site}/apps/{user.login.removesuffix('[bot]')}"
        return {
            "login": user.login, "id": user.id, "node_id": f"U_{user.id}", "gravatar_id": "",
            "avatar_url": f"{self.site}/u/{user.id}?v=4", "url": api, "html_url": page,
            "followers_url": f"{api}/followers", "following_url": f"{api}/following{{/other_user}}",
            "gists_url": f"{api}/gists{{/gist_id}}", "starred_url": f"{api}/starred{{/owner}}{{/repo}}",
            "subscriptions_url": f"{api}/subscriptions", "organizations_url": f"{api}/orgs",
            "repos_url": f"{api}/repos", "events_url": f"{api}/events{{/privacy}}",
            "received_events_url": f"{api}/received_events", "type": "Bot" if user.is_bot else "User",
            "user_view_type": "public", "site_admin": False,
        }  # fmt: skip

    def repository(self, fork: str | None = None) -> Json:
        name = self._world.full_name.split("/")[1]
        full_name = self._world.full_name if fork is None else f"{fork}/{name}"
        owner = self._world.user(full_name.split("/")[0])
        root = self._world.git.root if fork is None else self._world.forks[fork].root
        return {
            "id": self._world.id if fork is None else self._world.id + owner.id, "node_id": f"R_{owner.id}",
            "name": name, "full_name": full_name, "private": True, "owner": self.user(owner),
            "html_url": f"{self.site}/{full_name}", "description": None, "fork": fork is not None,
            "url": f"{self.api}/repos/{full_name}", "clone_url": root.as_uri(), "git_url": root.as_uri(),
            "ssh_url": root.as_uri(), "default_branch": "main", "archived": False, "disabled": False,
            "visibility": "private", "has_issues": True, "topics": [], "is_template": False, "homepage": None,
            "language": None, "license": None, "forks_count": len(self._world.forks), "stargazers_count": 0,
            "open_issues_count": sum(each.state == "open" for each in self._world.issues.values()),
        }  # fmt: skip

    def label(self, label: Label) -> Json:
        return {
            "id": label.id, "node_id": f"LA_{label.id}", "url": f"{self.home}/labels/{label.name}",
            "name": label.name, "color": label.color, "default": False, "description": label.description,
        }  # fmt: skip

    def labels(self, issue: Issue) -> list[Json]:
        return [self.label(self._world.label(name)) for name in issue.labels]

    def pull_entry(self, pull: Pull) -> Json:
        """As in lists: without who merged it, and without counts."""
        issue, number = pull.issue, pull.number
        api, page = f"{self.home}/pulls/{number}", f"{self.site}/{self._world.full_name}/pull/{number}"
        return {
            "url": api, "id": pull.id, "node_id": f"PR_{pull.id}", "html_url": page, "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch", "issue_url": f"{self.home}/issues/{number}",
            "commits_url": f"{api}/commits", "comments_url": f"{self.home}/issues/{number}/comments",
            "statuses_url": f"{self.home}/statuses/{pull.head}", "number": number, "state": issue.state,
            "locked": False, "title": issue.title, "user": self.user(issue.user), "body": issue.body or None,
            "created_at": moment(issue.created_at), "updated_at": moment(issue.updated_at),
            "closed_at": moment(issue.closed_at), "merged_at": moment(pull.merged_at),
            "merge_commit_sha": pull.merge_commit, "assignee": None, "assignees": [], "requested_reviewers": [],
            "requested_teams": [], "labels": self.labels(issue), "milestone": None, "draft": pull.is_draft,
            "head": self._side(pull.branch, pull.head, pull.fork), "base": self._side(pull.base, pull.base_commit),
            "author_association": self.association(issue.user), "auto_merge": None, "active_lock_reason": None,
        }  # fmt: skip

    def pull(self, pull: Pull) -> Json:
        is_open = pull.issue.state == "open"
        return self.pull_entry(pull) | {
            "merged": pull.merged_at is not None, "mergeable": pull.is_mergeable if is_open else None,
            "rebaseable": pull.is_mergeable if is_open else None,
            "mergeable_state": ("clean" if pull.is_mergeable else "dirty") if is_open else "unknown",
            "merged_by": self.user(pull.merged_by) if pull.merged_by else None,
            "comments": len(pull.issue.comments), "review_comments": 0, "maintainer_can_modify": False,
            "commits": len(pull.own), "additions": 0, "deletions": 0, "changed_files": 0,
        }  # fmt: skip

    def issue(self, issue: Issue) -> Json:
        api, page = f"{self.home}/issues/{issue.number}", f"{self.site}/{self._world.full_name}/issues/{issue.number}"
        form: Json = {
            "url": api, "repository_url": self.home, "labels_url": f"{api}/labels{{/name}}",
            "comments_url": f"{api}/comments", "html_url": page, "id": issue.id, "node_id": f"I_{issue.id}",
            "number": issue.number, "title": issue.title, "user": self.user(issue.user),
            "labels": self.labels(issue), "state": issue.state, "locked": False, "assignee": None, "assignees": [],
            "milestone": None, "comments": len(issue.comments), "created_at": moment(issue.created_at),
            "updated_at": moment(issue.updated_at), "closed_at": moment(issue.closed_at),
            "author_association": self.association(issue.user), "body": issue.body, "closed_by": None,
            "state_reason": issue.state_reason, "active_lock_reason": None,
        }  # fmt: skip
        if issue.number in self._world.pulls:
            form["pull_request"] = {"url": f"{self.home}/pulls/{issue.number}", "html_url": page, "merged_at": None}
        return form

    def comment(self, issue: Issue, comment: Comment) -> Json:
        kind = "pull" if issue.number in self._world.pulls else "issues"
        page = f"{self.site}/{self._world.full_name}/{kind}/{issue.number}"
        return {
            "url": f"{self.home}/issues/comments/{comment.id}", "html_url": f"{page}#issuecomment-{comment.id}",
            "issue_url": f"{self.home}/issues/{issue.number}", "id": comment.id, "node_id": f"IC_{comment.id}",
            "user": self.user(comment.user), "created_at": moment(comment.created_at),
            "updated_at": moment(comment.updated_at), "author_association": self.association(comment.user),
            "body": comment.body, "performed_via_github_app": None,
        }  # fmt: skip

    def review(self, pull: Pull, review: Review) -> Json:
        page = f"{self.site}/{self._world.full_name}/pull/{pull.number}"
        form = {
            "id": review.id, "node_id": f"PRR_{review.id}", "user": self.user(review.user), "body": review.body,
            "state": review.state, "html_url": f"{page}#pullrequestreview-{review.id}",
            "pull_request_url": f"{self.home}/pulls/{pull.number}", "commit_id": review.commit_id,
            "author_association": self.association(review.user), "submitted_at": moment(review.submitted_at),
        }  # fmt: skip
        if review.state == "PENDING":
            del form["submitted_at"]
        return form

    def status(self, commit: str, status: Status) -> Json:
        return {
            "url": f"{self.home}/statuses/{commit}", "id": status.id, "node_id": f"SC_{status.id}",
            "state": status.state, "description": status.description, "target_url": status.target_url,
            "context": status.context, "created_at": moment(status.created_at),
            "updated_at": moment(status.created_at), "creator": self.user(status.creator), "avatar_url": None,
        }  # fmt: skip

    def run(self, run: Run) -> Json:
        return {
            "id": run.id, "node_id": f"WFR_{run.id}", "name": "apply", "head_branch": "main",
            "head_sha": run.head_sha, "run_number": 1, "run_attempt": 1, "event": run.event, "status": "in_progress",
            "conclusion": None, "workflow_id": 1, "url": f"{self.home}/actions/runs/{run.id}",
            "html_url": f"{self.site}/{self._world.full_name}/actions/runs/{run.id}", "pull_requests": [],
            "created_at": moment(run.created_at), "updated_at": moment(run.updated_at),
            "run_started_at": moment(run.created_at), "repository": self.repository(),
        }  # fmt: skip

    def approval(self, approval: RunApproval, at: datetime) -> Json:
        name = approval.environment
        environment = {
            "id": 1, "node_id": "EN_1", "name": name, "url": f"{self.home}/environments/{name}",
            "html_url": f"{self.site}/{self._world.full_name}/deployments/activity_log?environments_filter={name}",
            "created_at": moment(at), "updated_at": moment(at),
        }  # fmt: skip
        user = self.user(approval.user)
        return {"state": approval.state, "comment": approval.comment, "environments": [environment], "user": user}

    def permission(self, user: User) -> Json:
        told = {"triage": "read", "maintain": "write"}.get(user.role, user.role)
        return {"permission": told, "role_name": user.role, "user": self.user(user)}

    def association(self, user: User) -> str:
        if user.login == self._world.full_name.split("/")[0]:
            return "OWNER"
        # A collaborator is anybody who was invited, also to read only.
        return "NONE" if user.is_bot or user.role == "none" else "COLLABORATOR"

    def _side(self, ref: str, sha: str, fork: str | None = None) -> Mapping[str, Any]:
        owner = fork or self._world.full_name.split("/")[0]
        is_gone = fork is not None and fork not in self._world.forks
        return {
            "label": f"{owner}:{ref}", "ref": ref, "sha": sha, "user": self.user(self._world.user(owner)),
            "repo": None if is_gone else self.repository(fork),
        }  # fmt: skip


def moment(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")
