"""Share pack files in and out: bytes to values (`reading`), values to files (`writing`), the JSON Schema.
No file system, no network: the caller hands in bytes."""
