"""The daemon: a face of the stages, which watches Git and Databricks and asks nobody."""
