"""The seller API of the sandbox, described: what each operation takes and answers (OpenAPI)."""
