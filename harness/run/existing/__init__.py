"""A cluster that is there: what is asked of it, and what a run leaves in it, which is nothing."""
