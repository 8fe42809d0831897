"""Why a run does not go on."""

from __future__ import annotations

from spiderpool.errors import SpiderpoolError


class CannotRun(SpiderpoolError):
    """The scenario cannot run here at all; the text says what would mend that."""


class PartEnded(SpiderpoolError):
    """A part of the cluster that should run until the end has failed."""
