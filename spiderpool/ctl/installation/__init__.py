"""What ``spiderpoolctl status`` reads of an installation, and what it thinks of it."""
