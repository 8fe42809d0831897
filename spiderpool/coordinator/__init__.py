"""What a pod's namespace and its node must hold so that each packet takes the right NIC.

Everything here is pure: :mod:`config` merges and checks what users wrote, :mod:`facts` is
what is known when a NIC is attached, :mod:`plan` turns facts into ordered changes,
:mod:`undo` and :mod:`removal` take them back, :mod:`check` names differences.
"""
