"""The vocabulary: names, addresses, API objects as frozen dataclasses, and their codec."""
