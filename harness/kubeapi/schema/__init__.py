"""OpenAPI schemas applied to objects: decoding, validation, defaults, pruning. All pure."""
