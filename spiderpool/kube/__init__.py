"""The Kubernetes API: client, informers, events. The only place that talks to it."""
