"""The kinds that every Kubernetes serves: their shapes, defaults, rules and allocations."""
