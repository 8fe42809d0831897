"""What programs tell about themselves: numbers for Prometheus, health for kubelet."""
