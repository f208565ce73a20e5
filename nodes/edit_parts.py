"""What Edit Expression gives besides the video: the frames, a mask of the faces and the face alone."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from contextlib import closing

import numpy as np
import torch

from ..thfem_core.face.cutouts import FaceCutter, face_mask
from ..thfem_core.face.tracking.track import FaceTrack
from ..thfem_core.media.array_frame import ArrayFrame
from ..thfem_core.media.frame import Frame


class EditParts:
    """Gathers parts of frames while these go by.

    wanted: Of ``images``, ``mask`` and ``crop``, those that are gathered; the others stay None.
    """

    def __init__(self, wanted: Collection[str], tracks: Sequence[FaceTrack]) -> None:
        """Gather nothing yet.

        Args:
            wanted: What to gather.
            tracks: The faces that are edited.
        """
        self._wanted, self._tracks, self._cutter = set(wanted), tuple(tracks), FaceCutter(tracks)
        self._images, self._masks, self._crops = list[np.ndarray](), list[np.ndarray](), list[np.ndarray]()

    def gathered(self, frames: Generator[Frame, None, None]) -> Generator[Frame, None, None]:
        """The same frames; their parts are gathered as they pass."""
        with closing(frames):
            for frame in frames:
                if "images" in self._wanted:
                    self._images.append(frame.pixels if isinstance(frame, ArrayFrame) else frame.rgb())
                if "mask" in self._wanted:
                    self._masks.append((face_mask(frame, self._tracks) * 255).astype(np.uint8))
                if "crop" in self._wanted:
                    self._crops.append(self._cutter.cut(frame))
                yield frame

    @property
    def images(self) -> torch.Tensor | None:
        """IMAGE of the frames."""
        return _batch(self._images)

    @property
    def mask(self) -> torch.Tensor | None:
        """MASK of the edited faces."""
        return _batch(self._masks)

    @property
    def crop(self) -> torch.Tensor | None:
        """IMAGE of the first edited face."""
        return _batch(self._crops)


def _batch(pictures: list[np.ndarray]) -> torch.Tensor | None:
    """Pictures of 8 bits, or floats, as one float tensor; the list is emptied."""
    if not pictures:
        return None
    batch = torch.empty((len(pictures), *pictures[0].shape), dtype=torch.float32)
    for number in range(len(pictures)):
        picture = torch.from_numpy(pictures[number])
        batch[number] = picture / 255 if picture.dtype == torch.uint8 else picture
        pictures[number] = pictures[0][:0]  # so that memory holds each frame once
    pictures.clear()
    return batch
