"""Interpreter and checkout, for a program of a user who may not go through their folders."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_SCRIPT = """set -e
mount -t tmpfs tmpfs /mnt
for folder in $FOLDERS; do mkdir -p "/mnt$folder"; mount --bind "$folder" "/mnt$folder"; done
for place in $PLACES; do
    mkdir -p "${place#+}"
    case $place in
        +*) mount -t tmpfs -o mode=0755 tmpfs "${place#+}" ;;
        *) mount --bind "/mnt$place" "$place" ;;
    esac
done
exec "$@"
"""


def reachable() -> tuple[str, ...]:
    """What to put before a command line: mounts of its own, where those folders are open.

    Empty when they are open anyhow. tox, for one, lets only its user into its folder.
    """
    wanted = {Path(each) for each in (sys.prefix, sys.base_prefix, ROOT)}
    shut = {each: set(closed(each)) for each in wanted}
    folders = [each for each in wanted if shut[each]]
    if not folders:
        return ()
    covers = set[Path]().union(*shut.values())
    places = sorted([*folders, *covers], key=lambda place: len(place.parts))
    words = [f"+{place}" if place in covers else str(place) for place in places]
    known = {"FOLDERS": " ".join(map(str, folders)), "PLACES": " ".join(words)}
    settings = [f"{name}={value}" for name, value in known.items()]
    return ("env", *settings, "unshare", "--mount", "sh", "-c", _SCRIPT, "sh")


def closed(folder: Path) -> Iterator[Path]:
    """The folders above it that others cannot go through."""
    return (each for each in folder.parents if not each.stat().st_mode & 0o001)
