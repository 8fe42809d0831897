"""Verdicts: what an expectation says against what was observed. Pure."""
