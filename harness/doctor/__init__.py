"""What this machine can and cannot do for the harness, and how to mend it."""
