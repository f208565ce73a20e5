"""What the head pose encoder ``mesh`` declares of itself."""

from __future__ import annotations

from ...registry import BackEnd

BACK_END = BackEnd(
    summary="The pose that carries the average face onto the tracked mesh; needs no model file.",
    factory="encoder:load",
)
