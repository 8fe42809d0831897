"""spiderpoolctl: one file a command."""
