"""From captures to paths, and why the kernel chose them."""
