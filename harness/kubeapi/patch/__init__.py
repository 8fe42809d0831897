"""The four kinds of patch that Kubernetes accepts, as pure functions over objects."""
