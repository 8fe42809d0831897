"""Public test doubles of the two seams, netlink and Kubernetes, and builders of objects."""
