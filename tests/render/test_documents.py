"""What the README shows is what the program makes: self-contained, and of the kind it says."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parents[2]


def test_the_picture_of_the_readme_is_a_plan_and_draws_on_nothing_elsewhere() -> None:
    text = (ROOT / "docs" / "plan.svg").read_text(encoding="utf-8")
    words = " ".join(ET.fromstring(text).itertext())
    assert "Plan: 0 to create, 1 to update, 0 to delete, 1 unchanged. 1 drifted." in words
    assert text.count("http") == text.count("http://www.w3.org/2000/svg")
    assert "docs/plan.svg" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_file_that_the_readme_links_to_is_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
