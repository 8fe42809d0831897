"""The cluster-wide daemon: one reconciler a kind."""
