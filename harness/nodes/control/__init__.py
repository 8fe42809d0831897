"""The control plane beside the API server: what kube-controller-manager and the scheduler do.

Each controller has a pure part, from cached objects to actions, and shares one loop that
carries actions out over HTTP. They need a Kubernetes API only, whichever it is.
"""
