"""What the container runtime execs, and the CNI protocol: requests, results, errors."""
