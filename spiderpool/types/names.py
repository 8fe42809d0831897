"""Strings and numbers that must not be mixed up, each as a type of its own.

They are apart from everything else so that any module can import them.
"""

from typing import NewType

PodUID = NewType("PodUID", str)
"""``metadata.uid`` of a Pod; owns addresses, unlike the pod's name, which comes back."""

ContainerID = NewType("ContainerID", str)
"""``CNI_CONTAINERID``: one sandbox of a pod; a restarted sandbox has another one."""

IfName = NewType("IfName", str)
"""A link's name inside its namespace, at most 15 bytes."""

TableID = NewType("TableID", int)
"""A routing table: 254 is main, 255 local."""

PoolName = NewType("PoolName", str)
NodeName = NewType("NodeName", str)

MAIN = TableID(254)
LOCAL = TableID(255)
