"""Bitstreams for open boards, by the open toolchain."""

from __future__ import annotations

from .build import STAGES, BuildResult, build
from .catalogue import BOARDS, Board, board

__all__ = ["BOARDS", "STAGES", "Board", "BuildResult", "board", "build"]
