"""What the emulated network looks like, purely: addresses, Calico, underlay, services."""
