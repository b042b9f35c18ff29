"""An answer of Databricks that cannot be told truthfully."""


class StrangeAnswerError(Exception):
    """Databricks answered, and this program cannot say what that means."""
