"""Network namespaces: what they hold, plans of changes, and the bytes for the kernel.

::

    data      objects, operations, selection      what is, what to change, what to read
    pure      encode, decode, requests, nftables  data <-> bytes (wire, uapi below them)
              text, lines                         data as commands and as iproute2's output
              model                               what the kernel would hold after a plan
    acting    namespace, channel, sysctl          descriptors, sockets, /proc/sys/net
              transport                           the seam; apply, dump, lookup go through it

Everybody else imports :func:`apply.apply`, :func:`dump.dump` and :func:`lookup.route_get`.
"""
