"""What an installation does once: definitions, defaults, plugins on a node, and the way back."""
