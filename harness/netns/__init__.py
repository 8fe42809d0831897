"""The sandbox that everything runs in, and what proves that nothing is left of it."""
