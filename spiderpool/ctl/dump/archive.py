"""The archive: files in order, an index in front, and a limit that nothing exceeds."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = "spiderpool-sysdump"
INDEX = "index.json"


@dataclass(slots=True)
class Archive:
    """Files by path; ``room`` is how many bytes may still be added, before compression."""

    room: int
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    failures: list[tuple[str, str]] = field(default_factory=list)

    def add(self, path: str, what: str, content: bytes) -> None:
        """A file that does not fit any more is a failure."""
        if len(content) > self.room:
            self.fail(what, f"its {len(content)} bytes are over what is left of the limit")
            return
        self.room -= len(content)
        self.files[path] = (what, content)

    def fail(self, what: str, why: str) -> None:
        """Something is not in the archive."""
        self.failures.append((what, why))

    def index(self, **about: Any) -> Any:
        """What is in it and what is not; ``about`` says whose and when."""
        return {
            **about,
            "files": [
                {"path": path, "what": what, "bytes": len(content)}
                for path, (what, content) in sorted(self.files.items())
            ],
            "failures": [{"what": what, "why": why} for what, why in sorted(self.failures)],
        }

    def write(self, output: Path, **about: Any) -> int:
        """Write it in one step, for its owner only; the same content makes the same bytes.
        Returns the size.

        Raises:
            OSError: ``output`` cannot be written.
        """
        index = json.dumps(self.index(**about), indent=2).encode()
        files = [(INDEX, index), *((p, c) for p, (_, c) in sorted(self.files.items()))]
        data = gzip.compress(_tar(files), mtime=0)
        draft = output.with_name(f".{output.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            draft.rename(output)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        return len(data)


def _tar(files: Iterable[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, content in files:
            entry = tarfile.TarInfo(f"{FOLDER}/{path}")
            entry.size, entry.mode = len(content), 0o600
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
