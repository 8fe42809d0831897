"""Network namespaces: what they hold, plans of changes, and the bytes for the kernel."""
