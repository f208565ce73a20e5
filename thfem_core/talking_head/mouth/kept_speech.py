"""What the original says with its lips: how an edited mouth would say it, and how far the edit strays from it."""

from __future__ import annotations

import numpy as np

from ...face.mesh.lip_aperture import aperture_keeper
from ...face.mesh.lip_motion import lip_aperture
from ...face.mesh.topology import LIPS
from ...face.smoothstep import smoothstep
from .back_end import MouthOptions
from .coefficients import lower_face_fade
from .observed import Mouth, ObservedMouths

# Degrees of yaw between which the lips are left as edited: the mesh guesses the hidden half of a mouth.
_SIDE = (28.0, 45.0)
# Weights of neighbouring frames: what their fits agree on is no wobble.
_LASTING = np.hanning(9)[1:-1] / np.hanning(9).sum()
# Gap of the lips (face units) up to which the original's meet; how much farther apart the edited ones may be before
# the closure counts as lost, and from which on it surely is; frames on either side that come and go with it.
_MEET = 3.0
_LOOSE, _OPEN = 1.0, 2.0
_AROUND = 2
# Gaps (face units) that become none, and that stay.
_PRESSED = (1.0, 3.0)


def _pressed(shape: np.ndarray) -> np.ndarray:
    """Lips that nearly meet, meet: (478, 3). Fits of single frames, once calmed, hold short closures a little open."""
    (gap,) = lip_aperture(shape[None])
    return shape + (1 - smoothstep(gap, *_PRESSED)) * (aperture_keeper() @ shape - shape)


class KeptSpeech:
    """Of one person, from the mouths observed so far."""

    def __init__(self, mouths: ObservedMouths, config: MouthOptions) -> None:
        self._mouths, self._config = mouths, config
        self._fade = lower_face_fade()[:, None]

    def _added(self, index: int) -> np.ndarray:
        """(478, 3) what the edit lastingly adds around a frame, less any opening or closing of the lips."""
        rows, share = self._mouths.around(index)
        return aperture_keeper() @ np.tensordot(share[index], [row.edited - row.original for row in rows], axes=1)

    def wanted(self, mouth: Mouth, index: int) -> np.ndarray:
        """(478, 3) the edited face of a frame, its lower part the original's with the added expression: its lips open
        exactly as far as the original's."""
        return _pressed(mouth.edited + self._fade * (mouth.original + self._added(index) - mouth.edited))

    def needed(self, index: int) -> float:
        """0..1: how far the edited lips stray from the original's speech around this frame."""
        rows, share = self._mouths.around(index)
        yaw = share[index] @ np.abs([row.pose.angles()[0, 0] for row in rows])
        seen = 1.0 - smoothstep(yaw, *_SIDE)
        lips = list(LIPS)
        differ = np.stack([row.edited - row.original for row in rows])
        weights = np.stack(list(share.values()))
        lasting = np.matmul(aperture_keeper()[lips], np.tensordot(weights, differ, axes=1))
        apart = (self._fade[lips] * (lasting - differ[:, lips]))[..., :2]
        counts = share[index]
        if len(rows) >= len(_LASTING):  # else too few to tell a fit that wobbles from lips that stray
            edge = len(_LASTING) // 2
            apart = sum(k * apart[i : len(rows) - 2 * edge + i] for i, k in enumerate(_LASTING))
            counts = counts[edge:-edge] / counts[edge:-edge].sum()
        stray = counts @ np.linalg.norm(apart, axis=2).mean(axis=1)
        need = smoothstep(stray, self._config.keep_below, self._config.redraw_above)
        return float(seen * max(need, self._unclosed(index)))

    def _unclosed(self, index: int) -> float:
        """0..1: whether lips that meet in the original (on p, b and m) stay apart in the edit, at this frame or near
        it. As in :func:`...face.mesh.lip_motion.closure_recall`, they may meet a frame earlier or later."""
        near = range(index - _AROUND - 1, index + _AROUND + 2)
        mouths = {i: mouth for i in near if (mouth := self._mouths.as_fitted(i)) is not None}
        if not mouths:
            return 0.0
        gaps = lip_aperture(np.stack([shape for m in mouths.values() for shape in (m.original, m.edited)]))
        original, edited = (dict(zip(mouths, gaps[k::2], strict=True)) for k in (0, 1))
        lost = 0.0
        for i in near[1:-1]:
            if original.get(i, _MEET) < _MEET:
                closest = min(edited[k] for k in (i - 1, i, i + 1) if k in edited)
                share = 1 - abs(i - index) / (_AROUND + 1)
                lost = max(lost, share * float(smoothstep(closest - original[i], _LOOSE, _OPEN)))
        return lost
