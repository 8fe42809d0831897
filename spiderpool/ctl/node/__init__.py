"""What ``spiderpoolctl doctor`` reads of a node, and what it thinks of it."""
