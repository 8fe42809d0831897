"""The engine: build, act, probe, judge, tear down; it emits events."""
