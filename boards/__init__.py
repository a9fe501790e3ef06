"""Bitstreams for open boards, by the open toolchain."""

from __future__ import annotations

from .attempt import STAGES
from .build import BuildResult, build
from .catalogue import BOARDS, Board, board

__all__ = ["BOARDS", "STAGES", "Board", "BuildResult", "board", "build"]
