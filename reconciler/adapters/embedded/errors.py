"""The one error of the embedded PostgreSQL. It decides nothing; every message says what is wrong and what to do."""


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot run here."""


#: What to do when nothing on this machine can be made to work.
USE_YOUR_OWN = "set domain_db_connection_string to a PostgreSQL 14 or newer of your own"
