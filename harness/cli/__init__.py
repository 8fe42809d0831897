"""The harness command: one file a sub-command."""
