"""Packets seen: every frame of every namespace, in both directions, with the kernel's time."""
