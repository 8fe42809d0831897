"""The parts of a cluster beside Spiderpool: kubelet, Multus, kube-proxy, workload controllers."""
