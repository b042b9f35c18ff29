"""Plans, problems, states and histories as text, JSON and pictures: pure functions from values to strings."""
