"""Giving edited lips the speech of the unedited clip back, where an edit has changed it."""

from __future__ import annotations

import numpy as np

from ...face.mesh.lip_aperture import lip_aperture_operator
from ...face.mesh.lip_motion import lip_aperture
from ...face.mesh.topology import LIPS
from ...face.smoothstep import smoothstep
from .back_end import MouthOptions
from .coefficients import lower_face_fade
from .mouth_track import Mouth, MouthTrack

# Degrees of yaw over which restoring fades out: seen from the side, the mesh guesses the hidden half of a mouth.
_SIDE_VIEW = (28.0, 45.0)
# Averages over seven frames: what single fits wobble by cancels out.
_AVERAGE = np.hanning(9)[1:-1] / np.hanning(9).sum()

# A closure (on p, b, m) counts as lost where the original lips are closer than _CLOSED, and the edited ones are farther
# apart than those by the gaps of _LOST: from 0 to fully. The _NEAR_CLOSURE frames around it are restored with it.
_CLOSED = 3.0  # face units
_LOST = (1.0, 2.0)  # face units
_NEAR_CLOSURE = 2
_NEARLY_SHUT = (1.0, 3.0)  # gaps of the lips, face units: the first is closed altogether, the second stays


def _close_nearly_shut(shape: np.ndarray) -> np.ndarray:
    """Let lips meet that nearly do: smoothing over frames leaves short closures a little open.

    Args:
        shape: float (478, 3), face units.

    Returns:
        The shape with its lips closed, partly closed, or as they were.
    """
    (gap,) = lip_aperture(shape[None])
    if gap >= _NEARLY_SHUT[1]:
        return shape
    closed = lip_aperture_operator() @ shape
    restored: np.ndarray = shape + (1 - smoothstep(gap, *_NEARLY_SHUT)) * (closed - shape)
    return restored


class LipRestoration:
    """Says how the lips of an edited frame should look to speak as the original ones do, and how much that is needed.

    An edit may change the mouth in two ways. What it adds lastingly, such as the raised corners of a smile, is its
    purpose and stays. What changes how far the lips open from frame to frame destroys the speech and is undone.
    """

    def __init__(self, mouths: MouthTrack, options: MouthOptions) -> None:
        """Begin with one person.

        Args:
            mouths: The mouths observed so far; read whenever a frame is asked for.
            options: From how much change on lips are redrawn.
        """
        self._mouths, self._options = mouths, options
        self._fade = lower_face_fade()[:, None]

    def shape(self, mouth: Mouth, index: int) -> np.ndarray:
        """Shape the face that a frame should show.

        Args:
            mouth: The frame's mouth.
            index: The frame's number.

        Returns:
            float (478, 3), face units: the edited face, with a lower part that is the original's plus what the edit
            adds lastingly. The lips open exactly as far as the original's.
        """
        near = self._mouths.neighbourhood(index)
        changes = [each.edited - each.original for each in near.mouths]
        added = lip_aperture_operator() @ np.tensordot(near.weights[index], changes, axes=1)
        return _close_nearly_shut(mouth.edited + self._fade * (mouth.original + added - mouth.edited))

    def visibility(self, index: int) -> float:
        """How well the mouth can be restored from where it is seen: 1 from the front, 0 from the side."""
        near = self._mouths.neighbourhood(index)
        yaw = near.weights[index] @ np.abs([each.yaw for each in near.mouths])
        return float(1.0 - smoothstep(yaw, *_SIDE_VIEW))

    def need(self, index: int) -> float:
        """How much a frame needs to be restored.

        Args:
            index: Number of an observed frame.

        Returns:
            0 where the edited lips speak as the original ones do, up to 1 where they do not.
        """
        change = np.asarray(self._change_of_speech(index))
        need = float(smoothstep(change, self._options.keep_below, self._options.redraw_above))
        return max(need, self._lost_closure(index))

    def _change_of_speech(self, index: int) -> float:
        """Mean distance (face units) between the edited lips and those of :meth:`shape`, averaged around a frame."""
        near, lips = self._mouths.neighbourhood(index), list(LIPS)
        change = np.stack([each.lip_change for each in near.mouths])
        weights = np.stack(list(near.weights.values()))
        operator = lip_aperture_operator()[np.ix_(lips, lips)]  # lips depend on lips alone
        lasting = np.matmul(operator, np.tensordot(weights, change, axes=1))
        passing = (self._fade[lips] * (lasting - change))[..., :2]
        counts = near.weights[index]
        if len(passing) >= len(_AVERAGE):  # with fewer frames noise of the fits cannot be told from a change
            edge = len(_AVERAGE) // 2
            passing = sum(k * passing[i : len(change) - 2 * edge + i] for i, k in enumerate(_AVERAGE))
            counts = counts[edge:-edge] / counts[edge:-edge].sum()
        return float(counts @ np.linalg.norm(passing, axis=2).mean(axis=1))

    def _lost_closure(self, index: int) -> float:
        """0..1: whether lips that meet in the original stay apart in the edit, in this frame or near it.

        As in :func:`...face.mesh.lip_motion.closure_recall`, they may meet a frame earlier or later.
        """
        near = range(index - _NEAR_CLOSURE - 1, index + _NEAR_CLOSURE + 2)
        mouths = {i: mouth for i in near if (mouth := self._mouths.fitted(i)) is not None}
        if not mouths:
            return 0.0
        gaps = lip_aperture(np.stack([shape for m in mouths.values() for shape in (m.original, m.edited)]))
        original, edited = (dict(zip(mouths, gaps[k::2], strict=True)) for k in (0, 1))
        lost = 0.0
        for i in near[1:-1]:
            if original.get(i, _CLOSED) < _CLOSED:
                closest = min(edited[k] for k in (i - 1, i, i + 1) if k in edited)
                share = 1 - abs(i - index) / (_NEAR_CLOSURE + 1)
                lost = max(lost, share * float(smoothstep(closest - original[i], *_LOST)))
        return lost
