"""What kubelet executes for each pod: hands the request to the node's agent.

This is the client for development and for nodes that have Python. ``native/*.c`` is the
same for every node; both pass the same tests.

It runs as ``python -I -S -E plugin.py`` and imports nothing outside the interpreter's core,
because a process that imports ``json`` and ``socket`` costs three times as much as one that
does not. It has no logic besides three cases: VERSION is answered here, a DEL that finds no
agent leaves a file for it, durably, and succeeds, and an agent that is being replaced is
waited for (docs/decisions/thin-plugin.md says why a second attempt is safe).

Wire format, on a stream socket. Request: ``>4sIII`` = (``SPCN``, 1, len(env), len(stdin)),
env as ``KEY=VALUE\\0`` entries, stdin; with the first bytes come, by SCM_RIGHTS, the
namespace of this process and that of the pod (absent when it cannot be opened). Answer:
``>4sII`` = (``SPCN``, exit status, len(stdout)), stdout.
"""

import _socket
import posix
import sys
import time
from posix import _exit

MAGIC = b"SPCN"
PROTOCOL = 1
SOCKET = b"/var/run/spidernet/spiderpool.sock"
INTENTS = b"/var/lib/spidernet/intents"
MILLISECONDS = 50_000  # for all of a call: below the least that runtimes and kubelet wait
MILLISECONDS_OF_DEL = 1_000  # what is not done by then is done later
PATIENT = (b"ADD", b"CHECK", b"DEL")  # STATUS tells how it is now; GC comes again
FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.25
LARGEST_ENV = 64 << 10
LARGEST_STDIN = 1 << 20
LARGEST_ANSWER = 4 << 20
VERSIONS = (b"0.3.1", b"0.4.0", b"1.0.0", b"1.1.0")
INVALID_ENVIRONMENT = 4
IO_FAILURE = 5
DECODING_FAILURE = 6
TRY_AGAIN_LATER = 11


class Failure(Exception):
    """A CNI error: code and message."""


def main() -> None:
    stdin = b""
    try:
        if command() == b"VERSION":
            status, answer = 0, version_answer()
        else:
            stdin = read_stdin()
            status, answer = serve(encode_request(stdin), budget() / 1000)
    except Failure as failure:
        status, answer = 1, error_answer(stdin, *failure.args)
    try:
        write_all(1, answer)
    except OSError:
        _exit(1)  # who did not get the answer must not take it for a success
    _exit(status)


def serve(request: bytes, seconds: float) -> "tuple[int, bytes]":
    """The agent's answer, or what takes its place when there is none."""
    began = time.monotonic()
    try:
        return reach_agent(request, began + seconds)
    except (OSError, Failure) as problem:
        if command() != b"DEL":
            tried = time.monotonic() - began
            raise Failure(TRY_AGAIN_LATER, no_agent(problem, tried)) from None
        leave_intent(request)
        return 0, b""


def reach_agent(request: bytes, deadline: float) -> "tuple[int, bytes]":
    """As :func:`ask_agent`, again and again while nobody is there, or who is there goes away."""
    namespaces, pause = open_namespaces(), FIRST_PAUSE
    while True:
        try:
            return ask_agent(request, namespaces, deadline)
        except (FileNotFoundError, ConnectionError):
            if command() not in PATIENT or time.monotonic() + pause > deadline:
                raise
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def command() -> bytes:
    return posix.environ.get(b"CNI_COMMAND", b"")


def budget() -> int:
    """Milliseconds that this call may take."""
    text = posix.environ.get(b"SPIDERPOOL_BUDGET_MS")
    if text is None:
        return MILLISECONDS_OF_DEL if command() == b"DEL" else MILLISECONDS
    if not text.isdigit() or len(text) > 8:
        words = f"SPIDERPOOL_BUDGET_MS: '{text.decode('utf-8', 'replace')}' is no number of"
        raise Failure(INVALID_ENVIRONMENT, f"{words} milliseconds")
    return int(text)


def version_answer() -> bytes:
    supported = b", ".join(b'"%s"' % version for version in VERSIONS)
    return b'{"cniVersion": "%s", "supportedVersions": [%s]}\n' % (VERSIONS[-1], supported)


def read_stdin() -> bytes:
    chunks, size = [], 0
    try:
        while chunk := posix.read(0, 65536):
            chunks.append(chunk)
            size += len(chunk)
            if size > LARGEST_STDIN:
                raise Failure(DECODING_FAILURE, "the network configuration on stdin is over 1 MiB")
    except OSError as problem:
        raise Failure(IO_FAILURE, f"stdin cannot be read: {problem}") from None
    return b"".join(chunks)


def encode_request(stdin: bytes) -> bytes:
    entries = [b"%s=%s\0" % item for item in posix.environ.items() if item[0].startswith(b"CNI_")]
    name = sys.argv[0].rpartition("/")[2].encode("utf-8", "surrogateescape")
    entries.append(b"SPIDERPOOL_PLUGIN=%s\0" % name)
    env = b"".join(entries)
    if len(env) > LARGEST_ENV:
        words = "the CNI_* variables of the environment are over 64 KiB"
        raise Failure(INVALID_ENVIRONMENT, words)
    return header(MAGIC, PROTOCOL, len(env), len(stdin)) + env + stdin


def header(magic: bytes, *numbers: int) -> bytes:
    return magic + b"".join(number.to_bytes(4, "big") for number in numbers)


def ask_agent(request: bytes, namespaces: "list[int]", deadline: float) -> "tuple[int, bytes]":
    """Exit status and stdout, as the agent says. Raises OSError or Failure without an answer."""
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        connect(connection, deadline)
        try:
            sent = connection.sendmsg([request], [rights(namespaces)])
            connection.sendall(memoryview(request)[sent:])
        except (BrokenPipeError, ConnectionResetError):
            pass  # an agent that refuses the request has answered before it hung up
        return read_answer(connection, deadline)
    finally:
        connection.close()


def connect(connection: _socket.socket, deadline: float) -> None:
    """A queue that is full is waited for, which a socket that does not block would not do."""
    rest = max(deadline - time.monotonic(), 0.001)
    seconds, part = int(rest), int(rest % 1 * 1e6)
    timeval = seconds.to_bytes(8, sys.byteorder) + part.to_bytes(8, sys.byteorder)
    connection.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDTIMEO, timeval)
    connection.connect(posix.environ.get(b"SPIDERPOOL_SOCKET", SOCKET))
    connection.settimeout(max(deadline - time.monotonic(), 0.001))


def read_answer(connection: _socket.socket, deadline: float) -> "tuple[int, bytes]":
    head = receive(connection, 12, deadline)
    if head[:4] != MAGIC:
        raise Failure(TRY_AGAIN_LATER, "the answer is not the agent's")
    size = int.from_bytes(head[8:], "big")
    if size > LARGEST_ANSWER:
        raise Failure(TRY_AGAIN_LATER, "the answer is over 4 MiB")
    return int.from_bytes(head[4:8], "big"), receive(connection, size, deadline)


def open_namespaces() -> "list[int]":
    """Descriptors of this process' network namespace and of the pod's, if that exists."""
    flags = posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NONBLOCK
    opened = [posix.open("/proc/self/ns/net", flags)]
    path = posix.environ.get(b"CNI_NETNS", b"")
    if path:
        try:  # noqa: SIM105 - contextlib would have to be imported
            opened.append(posix.open(path, flags))
        except OSError:
            pass  # the agent knows by its absence; for a DEL that is as it should be
    return opened


def rights(descriptors: "list[int]") -> "tuple[int, int, bytes]":
    packed = b"".join(descriptor.to_bytes(4, sys.byteorder) for descriptor in descriptors)
    return (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, packed)


def receive(connection: _socket.socket, size: int, deadline: float) -> bytes:
    chunks = []
    while size:
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        chunk = connection.recv(min(size, 65536))
        if not chunk:
            raise ConnectionResetError("it hung up before it answered")
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)


def no_agent(problem: Exception, tried: float) -> str:
    path = posix.environ.get(b"SPIDERPOOL_SOCKET", SOCKET).decode("utf-8", "replace")
    words = problem.args[-1] if problem.args else type(problem).__name__
    if isinstance(problem, BlockingIOError):
        words = "timed out"
    return (
        f"the Spiderpool agent of this node does not answer on {path}: {words}; "
        f"tried for {tried:.1f} s"
    )


def leave_intent(request: bytes) -> None:
    """Store the request where the agent finds it when it is back, even after a power cut."""
    folder = posix.environ.get(b"SPIDERPOOL_INTENTS", INTENTS)
    name = b"%020d-%d" % (time.time_ns(), posix.getpid())
    draft, final = b"%s/.%s" % (folder, name), b"%s/%s.intent" % (folder, name)
    try:
        make_folder(folder)
        flags = posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_CLOEXEC
        descriptor = posix.open(draft, flags, 0o640)
        try:
            posix.fchmod(descriptor, 0o640)  # the agent may be no more than of the folder's group
            write_all(descriptor, request)
            posix.fsync(descriptor)
            posix.rename(draft, final)
        except OSError:
            posix.unlink(draft)
            raise
        posix.fsync(posix.open(folder, posix.O_RDONLY | posix.O_CLOEXEC))
    except OSError as problem:
        text = folder.decode("utf-8", "replace")
        words = f"no agent, and no note for it can be left in {text}: {problem.args[-1]}"
        raise Failure(TRY_AGAIN_LATER, words) from None


def make_folder(folder: bytes) -> None:
    parts = folder.split(b"/")
    for count in range(2, len(parts) + 1):
        try:  # noqa: SIM105
            posix.mkdir(b"/".join(parts[:count]), 0o700)
        except FileExistsError:
            pass


def error_answer(stdin: bytes, code: int, message: str) -> bytes:
    """An error object (CNI spec 1.1.0, section 5) in the version that the request speaks."""
    asked = stdin.partition(b'"cniVersion"')[2].partition(b'"')[2].partition(b'"')[0]
    version = asked if asked in VERSIONS else VERSIONS[-1]
    text = "".join(
        letter if letter >= " " and letter not in '"\\' else f"\\u{ord(letter):04x}"
        for letter in message
    )
    return b'{"cniVersion": "%s", "code": %d, "msg": "%s"}\n' % (version, code, text.encode())


def write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[posix.write(descriptor, data) :]


if __name__ == "__main__":
    main()
