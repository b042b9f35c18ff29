"""The workflows in .github, linted and run: their steps in order, as GitHub runs them."""
