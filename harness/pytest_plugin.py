"""Scenarios as tests: every expectation of every ``scenario.yaml`` is one pytest item."""
