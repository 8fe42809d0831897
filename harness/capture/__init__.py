"""Packets seen: on every interface, in both directions."""
