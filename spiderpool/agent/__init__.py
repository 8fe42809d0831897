"""The daemon on each node that answers the CNI plugins."""
