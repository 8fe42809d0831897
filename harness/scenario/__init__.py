"""Scenario files: their schema, loading with file and line in errors, expansion."""
