"""A Kubernetes cluster of network namespaces, which runs Spiderpool and judges it by packets."""
