"""The controller: one reconciler a kind, discovery of the cluster's CIDRs, webhooks."""
