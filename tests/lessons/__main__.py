"""Writes docs/lessons.md anew."""

from tests.lessons.lessons import PAGE, page

if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE}.")
