"""Spiderpool: underlay NICs for Kubernetes pods, beside the default CNI."""
