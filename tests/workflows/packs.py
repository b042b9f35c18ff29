"""Packs for pull requests."""

from textwrap import dedent


def pack(
    project: str,
    *,
    recipients: tuple[str, ...] = (),
    share: str = "",
    readers: tuple[str, ...] = (),
    objects: tuple[str, ...] = (),
    comment: str = "",
    line: str = "Sales",
) -> str:
    """A pack with recipients of its own and at most one share."""
    head = dedent(f"""\
        metadata:
          requestor: ada@acme.example
          project_name: {project}
          business_line: {line}
        """)
    made = "".join(f"  - name: {name}\n    type: D2O\n    email: {name}@partner.example\n" for name in recipients)
    text = head + (f"recipient:\n{made}" if made else "")
    if not share:
        return text
    said = f"    comment: {comment}\n" if comment else ""
    listed = "".join(f"      - {name}\n" for name in objects)
    return f"{text}share:\n  - name: {share}\n{said}    recipients: [{', '.join(readers)}]\n    data_objects:\n{listed}"


TRANSACTIONS, CUSTOMERS = "prod_catalog.sales.transactions", "prod_catalog.sales.customers"
REFUNDS = "prod_catalog.sales.refunds"
Q1 = pack("Q1", recipients=("partner-x",), share="q1", readers=("partner-x",), objects=(TRANSACTIONS,))
