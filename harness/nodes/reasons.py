"""Reasons of the events that Kubernetes' own parts write, as far as they are emulated."""

from __future__ import annotations

import enum


class Reason(enum.StrEnum):
    """``Event.reason`` of kubelet and the scheduler."""

    FAILED_SCHEDULING = "FailedScheduling"
    FAILED_SANDBOX = "FailedCreatePodSandBox"
