"""PostgreSQL: the record of everything (`ledger`) and a doorbell (`doorbell`).

`tables` says what the versioned tables look like, `versions` writes them (one statement, table-driven), `rows` turns
resources into columns and back. On these stand `submit`, `work`, `operations`, `packs` and `reading`, a group of
transactions each, and `ledger` puts them behind the port. `migrate` brings a database up to date.
"""
