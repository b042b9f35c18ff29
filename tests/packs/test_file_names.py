"""Which files are packs, by their names."""

import pytest

from reconciler.packs.file_names import is_pack, is_tenants_file


@pytest.mark.parametrize(
    "path",
    [
        "a.yaml",
        "b/A.YML",
        "b/c.d/e.xlsx",
        "../a.yaml",
        "./b/../a.ods",
        "tenants/a.yaml",
        "a/my-tenants.yaml",
        "a..yaml",
    ],
)
def test_packs(path: str) -> None:
    assert is_pack(path)
    assert not is_tenants_file(path)


@pytest.mark.parametrize(
    "path",
    [
        "a.py",
        "yaml",
        ".yaml",
        "a/.b.yaml",
        ".a/b.yaml",
        "a/.b/c.yaml",
        "a/...b.yaml",
        "~$a.xlsx",
        "b/~$a.xlsx",
        "a.yaml/b",
    ],
)
def test_what_is_none(path: str) -> None:
    assert not is_pack(path)
    assert not is_tenants_file(path)


@pytest.mark.parametrize("path", ["tenants.yaml", "tenants.yml", "a/b/Tenants.YAML", "a/TENANTS.yml", ".a/tenants.yml"])
def test_tenants_files(path: str) -> None:
    assert is_tenants_file(path)
    assert not is_pack(path)
