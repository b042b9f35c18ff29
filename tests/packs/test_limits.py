"""How much there may be of anything, and how little a hostile pack costs."""

import time

import pytest

from reconciler.core.capacity import LIMITS
from reconciler.core.share import ObjectType
from reconciler.packs.across import LIMITS as WORKSPACE_LIMITS
from reconciler.packs.notebooks import MAX_NOTEBOOK_BYTES
from reconciler.packs.parsing import parse_file
from tests.packs.examples import read


def pack(rest: str, project: str = "p") -> bytes:
    return f"metadata: {{requestor: a@b.example, project_name: {project}, business_line: l}}\n{rest}".encode()


def share_of(*objects: str) -> bytes:
    return pack("share:\n- name: s\n  data_objects:\n" + "".join(f"  - {item}\n" for item in objects))


def rules(data: bytes) -> list[str]:
    return [problem.rule for problem in read({"a.yaml": data, "n.ipynb": b"{}"}).problems]


KINDS = [("tables", kind) for kind in ("TABLE", "VIEW", "MATERIALIZED_VIEW", "STREAMING_TABLE", "FOREIGN_TABLE")] + [
    ("volumes", "VOLUME"),
    ("models", "MODEL"),
    ("functions", "FUNCTION"),
]


@pytest.mark.parametrize(("counted", "kind"), KINDS)
def test_a_share_has_only_so_many_objects_of_a_type(counted: str, kind: str) -> None:
    objects = [f"{{name: c.s.t{n}, type: {kind}}}" for n in range(LIMITS[counted])]
    assert rules(share_of(*objects)) == []
    assert rules(share_of(*objects, f"{{name: c.s.more, type: {kind}}}")) == ["objects-too-many"]


def test_all_that_is_like_a_table_counts_together() -> None:
    objects = [f"{{name: c.s.t{n}, type: {'TABLE' if n % 2 else 'view'}}}" for n in range(1_001)]
    assert rules(share_of(*objects)) == ["objects-too-many"]


def test_schemas_count_without_a_type_and_notebooks_by_theirs() -> None:
    schemas = [f"c.s{n}" for n in range(501)]
    notebooks = [f"{{name: n{n}, type: NOTEBOOK_FILE, content: n.ipynb}}" for n in range(101)]
    assert rules(share_of(*schemas)) == ["objects-too-many"]
    assert rules(share_of(*schemas[:500], *notebooks[:100])) == []
    assert rules(share_of(*notebooks)) == ["objects-too-many"]


def test_what_the_catalog_has_to_tell_is_not_counted() -> None:
    assert rules(share_of(*(f"c.s.t{n}" for n in range(1_050)))) == []


def test_every_type_is_counted_or_known_to_have_no_limit() -> None:
    for kind in ObjectType:
        named = {"SCHEMA": "c.s{}", "NOTEBOOK_FILE": "n{}"}.get(kind, "c.s.t{}")
        more = ", content: n.ipynb" if kind is ObjectType.NOTEBOOK_FILE else ""
        objects = [f"{{name: {named.format(n)}, type: {kind}{more}}}" for n in range(1_001)]
        expected = [] if kind is ObjectType.FEATURE_SPEC else ["objects-too-many"]
        assert rules(share_of(*objects)) == expected, kind


def test_a_workspace_holds_only_so_many_shares_and_recipients() -> None:
    shares = pack("share:\n" + "".join(f"- name: s{n}\n" for n in range(1_000)))
    recipients = pack("recipient:\n" + "".join(f"- {{name: r{n}, type: OIDC}}\n" for n in range(5_000)), "q")
    files = {"a.yaml": shares, "b.yaml": recipients}
    assert read(files).problems == ()
    assert list(WORKSPACE_LIMITS.values()) == [1_000, 5_000]
    more = {"c.yaml": pack("share: [{name: s}]", "r"), "d.yaml": pack("recipient: [{name: r, type: OIDC}]", "s")}
    problems = read(files | more).problems
    assert [(problem.rule, problem.where.path) for problem in problems] == [
        ("workspace-too-many", "c.yaml"),
        ("workspace-too-many", "d.yaml"),
    ]


def test_a_notebook_has_at_most_10_mb() -> None:
    data = share_of("{name: n, type: NOTEBOOK_FILE, content: n.ipynb}")
    assert read({"a.yaml": data, "n.ipynb": bytes(MAX_NOTEBOOK_BYTES)}).problems == ()
    (problem,) = read({"a.yaml": data, "n.ipynb": bytes(MAX_NOTEBOOK_BYTES + 1)}).problems
    assert problem.rule == "notebook-too-large"


def test_a_deep_mapping_where_an_object_stands_is_refused() -> None:
    shallow = rules(share_of("{name: " + "{a: " * 9 + "x" + "}" * 10))
    assert shallow == ["text-expected"]
    assert "yaml-too-deep" in rules(share_of("{name: " + "{a: " * 500 + "x" + "}" * 501))


def test_a_mapping_of_many_unknown_keys_is_told_once_for_each_up_to_a_thousand() -> None:
    data = share_of("{name: c.s.t, " + ", ".join(f"k{n}: 1" for n in range(5_000)) + "}")
    found = rules(data)
    assert len(found) == 1_001
    assert set(found) == {"key-unknown", "file-too-many-problems"}


HUGE = {
    "conditions": '{name: c.s.t, partitions: ["' + " AND ".join(f"c{n} = 'x'" for n in range(100_000)) + '"]}',
    "quotes": '{name: c.s.t, partitions: ["' + "'" * 1_000_000 + '"]}',
    "a number": "{name: c.s.t, start_version: " + "9" * 1_000_000 + "}",
    "an exponent": "{name: c.s.t, start_version: 1e999999999}",
    "a span": "c.s.t\nrecipient: [{name: r, type: D2O, email: a@b.example, rotate_every: " + "9" * 1_000_000 + "d}]",
    "an alias": "{name: c.s.t, shared_as: a." + "b" * 1_000_000 + "}",
    "a claim": "c.s.t\nrecipient: [{name: r, type: OIDC, federation_policies: [{name: p, issuer: https://a.example, "
    "subject: x, subject_claim: " + "o" * 1_000_000 + "}]}]",
}


@pytest.mark.parametrize("name", HUGE)
def test_what_is_huge_is_refused_shortly_and_soon(name: str) -> None:
    before = time.process_time()
    problems = parse_file("a.yaml", share_of(HUGE[name])).problems
    assert time.process_time() - before < 10
    assert len(problems) == 1
    assert len(problems[0].message) + len(problems[0].hint) < 400


def test_many_partitions_of_many_conditions_cost_little() -> None:
    texts = [" AND ".join(f"c{n}x{k} = 'x'" for k in range(500)) for n in range(200)]
    before = time.process_time()
    assert rules(share_of("{name: c.s.t, partitions: [" + ", ".join(f'"{text}"' for text in texts) + "]}")) == []
    assert time.process_time() - before < 20
