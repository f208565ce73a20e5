"""The embedded talking head, loaded."""

from __future__ import annotations

from ...errors import InputError
from ...networks.acceleration import channels_last
from ...registry import Resources
from ..head import Drive, FaceClip
from .back_end import MouthOptions
from .coefficients import load_mouth_basis
from .motion import MotionNet
from .networks import load_motion, load_renderer, on_device
from .renderer import MouthRenderer
from .session import MouthSession


class MouthTalkingHead:
    """Mesh warp and a small network that paints the inside of the mouth (implements :class:`..head.TalkingHead`).

    Its networks have 1.6 million parameters and always compute in float32.
    """

    drives: tuple[Drive, ...] = ("blend", "original", "audio")

    def __init__(self, options: MouthOptions, *, motion: MotionNet, renderer: MouthRenderer | None) -> None:
        """Join options and networks.

        Args:
            options: What the user chose.
            motion: From sound to mouth motion, on the CPU.
            renderer: Paints the inside of the mouth, on the CPU; None only warps the picture.
        """
        self._options, self._motion, self._renderer = options, motion, renderer

    def open_face(self, clip: FaceClip) -> MouthSession:
        """Begin with one person (see :meth:`..head.TalkingHead.open_face`)."""
        if clip.drive == "audio" and clip.speech is None:
            raise InputError("drive 'audio' needs a clip with sound; choose drive 'original', or give a sound file")
        renderer = self._renderer
        if renderer is not None:
            # with this layout of its weights the renderer is a fifth faster on a CPU
            renderer = channels_last(on_device(renderer, clip.device))
        return MouthSession(
            clip,
            self._options,
            motion=on_device(self._motion, clip.device),
            renderer=renderer,
            basis=load_mouth_basis(),
        )


def load(options: MouthOptions, resources: Resources) -> MouthTalkingHead:
    """Load the embedded networks.

    Args:
        options: What the user chose.
        resources: Not needed: the files lie in the package.

    Returns:
        The talking head.

    Raises:
        WeightsError: An embedded file is missing or damaged.
    """
    return MouthTalkingHead(options, motion=load_motion(), renderer=load_renderer() if options.network else None)
