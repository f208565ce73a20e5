"""Words that options of the editor and of the talking head share; no network is imported."""

from __future__ import annotations

from typing import Literal

Pasting = Literal["difference", "plain"]
