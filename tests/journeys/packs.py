"""The guide's examples, word for word, and small variations."""

SALES = """\
metadata:
  requestor: john.doe@jll.com
  project_name: "Sales Data Q1 2024"
  business_line: "Sales Operations"
  strategy: NEW

recipient:
  - name: sales-analyst
    type: D2O
    email: analyst@partner.com
    allowed_ips:
      - 192.168.1.0/24

share:
  - name: sales_q1_share
    comment: "Q1 sales data"
    recipients:
      - sales-analyst
    data_objects:
      - prod_catalog.sales.transactions
      - prod_catalog.sales.customers
"""

FINANCE = """\
metadata:
  requestor: john.doe@jll.com
  project_name: "Corporate Finance Q1 Data Share"
  business_line: "Corporate Finance"
  strategy: NEW  # or UPDATE
  description: "Q1 financial data sharing with external auditors"

recipient:
  - name: external-auditor
    type: D2O
    email: auditor@external.com
    allowed_ips:
      - 203.0.113.0/24
      - 198.51.100.50
    comment: External auditing firm

  - name: internal-analyst
    type: D2D
    metastore_id: "aws:us-west-2:abc-123-def"
    comment: Internal data analyst team

share:
  - name: finance_q1_share
    comment: "Q1 financial data"
    recipients:
      - external-auditor
      - internal-analyst
    data_objects:
      - catalog.schema.revenue_table
      - catalog.schema.expense_table

  - name: audit_log_share
    comment: "Audit logs for compliance"
    recipients:
      - external-auditor
    data_objects:
      - catalog.audit_schema.activity_log
"""
