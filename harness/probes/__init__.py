"""Packets out: requests with an identity, and the servers that answer them."""
