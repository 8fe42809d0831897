"""What things cost, as ratios to a peer or to the kernel's own limit."""
