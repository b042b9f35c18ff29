"""The world behind the ports: Databricks, PostgreSQL, queues, Git. They translate and perform; they decide nothing."""
