"""The kernel role: works inside of network namespaces for the agent, and knows nothing else.

::

    role          what the agent asks for; in_process and remote answer it
    detection     address conflicts and absent gateways on the wire (frames: the bytes)
    messages      requests and answers between two processes (codec, wire: their form)
    server        the other end of remote, in a process of its own: python -m spiderpool.kernel

As a process it has the capabilities that pods' namespaces need, and neither a token nor a
network; the agent that asks it has the token and no capability.
"""
