"""VLAN and bond devices of the node, which pods' NICs stand upon. Pure.

:mod:`config` reads a chain's entry, :mod:`devices` says which devices it asks for,
:mod:`plan` how to make them of what the node has, and :mod:`removal` how they go.
"""
