"""A Kubernetes cluster made of network namespaces, which runs Spiderpool and judges it by packets."""
