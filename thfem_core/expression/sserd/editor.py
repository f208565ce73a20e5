"""The editor ``sserd``: each frame takes the emotion of the reference frame at the same part of its clip."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from fractions import Fraction

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import InputError
from ...face.tracking.track import FaceTrack
from ...media.frame import Frame
from ...registry import Resources
from ...weights.store import locate
from ..aligned.faces import AlignedFace, AlignedFaces
from ..aligned.similarity import SIDE, warped
from ..request import ExpressionRequest, ReferenceClip, RegionStrengths
from .back_end import SSERD, SserdOptions
from .networks import Sserd, load_sserd

_ENLARGED = 320  # the network sees the middle 256 of an aligned crop enlarged to 320
_MARGIN = (_ENLARGED - SIDE) // 2


def network_picture(face: AlignedFace) -> Tensor:
    """A face as the network sees it: the whole crop in the template's place, its middle 80 %.

    Args:
        face: The face.

    Returns:
        Picture (3, 256, 256) float32 in -1..1.
    """
    whole = torch.from_numpy(warped(face.crop, face.to_template)).permute(2, 0, 1)[None]
    enlarged = F.interpolate(whole, (_ENLARGED, _ENLARGED), mode="bilinear", antialias=True, align_corners=False)
    middle = enlarged[0, :, _MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    return middle.float() / 127.5 - 1


def aligned_picture(drawn: Tensor) -> np.ndarray:
    """The network's picture in the template's place.

    Args:
        drawn: Picture (3, 1024, 1024), about -1..1.

    Returns:
        Aligned face (256, 256, 3) uint8, black at its border.
    """
    small = F.interpolate(drawn[None].float(), (SIDE, SIDE), mode="bilinear", align_corners=False)[0]
    pixels = (((small + 1) / 2).clamp(0, 1) * 255).to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    framed = np.pad(pixels, ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0)))
    return cv2.resize(framed, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)


class _Reference:
    """Codes of a reference clip's frames, read as they are needed; one frame is held."""

    def __init__(self, clip: ReferenceClip, network: Sserd, device: torch.device) -> None:
        if clip.track is None:
            raise InputError(f"no face can be read in the reference {clip.video.info.name}")
        self._faces, self._network, self._device = AlignedFaces(clip.track), network, device
        self._frames = clip.video.frames()
        self._first, self._count = clip.track.first_frame, clip.track.stop_frame - clip.track.first_frame
        self._next = 0
        self._codes: Tensor | None = None

    def codes(self, part: float) -> Tensor | None:
        """Codes (1, 18, 512) at a part (0..1) of the reference; parts must not fall. None before its first face."""
        last = self._first + min(int(part * self._count), self._count - 1)
        while self._next <= last:
            frame = next(self._frames, None)
            if frame is None:
                break
            self._next = frame.index + 1
            if frame.index == last or (self._codes is None and frame.index >= self._first):
                face = self._faces.at(frame)
                if face is not None:
                    self._codes = self._network.encoder(network_picture(face)[None].to(self._device)).codes
        return self._codes

    def close(self) -> None:
        """Free the clip."""
        self._frames.close()


class SserdEditor:
    """Implements :class:`..editor.ExpressionEditor`."""

    needs_faces = True

    def __init__(self, network: Sserd, options: SserdOptions | None = None) -> None:
        """Wrap a loaded network.

        Args:
            network: SSERD's networks.
            options: Noise and seed.
        """
        self.networks, self._options = network, options or SserdOptions()

    def edit(
        self,
        frames: Generator[Frame, None, None],
        tracks: Sequence[FaceTrack],
        request: ExpressionRequest,
        *,
        frame_rate: Fraction,
        device: torch.device,
    ) -> Generator[Frame, None, None]:
        """See :class:`..editor.ExpressionEditor`. Strength scales the change of the latent codes.

        Raises:
            InputError: The request is a label (SSERD knows references only), or asks for regions.
        """
        if request.reference is None:
            raise InputError("SSERD copies the emotion of a reference; give a reference clip or picture, not a label")
        if request.regions != RegionStrengths():
            raise InputError("SSERD edits the face as a whole; leave brows, eyes, cheeks and mouth at 1")
        network = self.networks.to(device)
        random = torch.Generator().manual_seed(self._options.seed)
        with ExitStack() as open_streams:
            open_streams.enter_context(closing(frames))
            people = [
                (
                    track,
                    AlignedFaces(track),
                    open_streams.enter_context(closing(_Reference(request.reference, network, device))),
                )
                for track in tracks
            ]
            for frame in frames:
                strength = request.strength * request.curve.at(float(frame.time))
                for track, faces, reference in people:
                    face = faces.at(frame) if strength > 0 else None
                    if face is None:
                        continue
                    length = track.stop_frame - track.first_frame
                    codes = reference.codes((frame.index - track.first_frame) / length)
                    if codes is not None:
                        frame = face.pasted(frame, self._drawn(face, codes, strength, random))
                yield frame

    @torch.inference_mode()
    def _drawn(self, face: AlignedFace, codes: Tensor, strength: float, random: torch.Generator) -> np.ndarray:
        picture = network_picture(face)[None].to(codes.device)
        drawn = self.networks.edited(picture, codes, strength=strength, noise=self._options.noise, random=random)
        return aligned_picture(drawn[0])


def load(options: SserdOptions, resources: Resources) -> SserdEditor:
    """Load SSERD from the user's file.

    Raises:
        WeightsError: The file is missing (says where from and where to), damaged or another one.
    """
    path = locate(SSERD, folders=resources.folders, progress=resources.progress)["checkpoint"]
    return SserdEditor(load_sserd(path), options)
