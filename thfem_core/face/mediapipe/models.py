"""The embedded face tracker back end: detect with BlazeFace, fit with the attention mesh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ...loaded import stays_loaded
from ...media.frame import Frame
from ...options import Options
from ...registry import Resources
from ...weights.model import EMBEDDED_FOLDER
from ...weights.reading import embedded_tensors, load_strict
from ..models import Detection, FaceRoi, MeshFit
from .anchors import DetectorSpec, decode
from .blazeface import SHORT_RANGE, ShortRangeBlazeFace
from .full_range import FULL_RANGE, FullRangeBlazeFace
from .letterbox import Letterbox
from .mesh_net import INPUT_SIDE, AttentionMesh
from .roi import crop, landmarks_to_frame, roi_from_detection, roi_from_landmarks
from .suppression import merge_ranges, weighted_nms
from .tracing import Network, traced

WEIGHTS_FILE = "mediapipe_face.safetensors"
LOOK_AROUND = 1.5  # side of the picture in which :meth:`MediaPipeFaceModels.upright` looks, over the region's


@dataclass(frozen=True, kw_only=True, slots=True)
class Detector:
    """A face detector.

    network: (B, 3, side, side) in -1..1 → scores (B, N) as logits, boxes (B, N, 16), see :func:`.anchors.decode`.
    spec: Meaning of its input and output.
    """

    network: Network
    spec: DetectorSpec


class MediaPipeFaceModels:
    """MediaPipe's networks as :class:`..models.FaceModels`.

    short_range: Detector for faces that fill much of the frame.
    full_range: Detector for small faces.
    """

    def __init__(self, *, short_range: Detector, full_range: Detector, mesh: Network, device: torch.device) -> None:
        """Take loaded networks.

        Args:
            short_range: See the class.
            full_range: See the class.
            mesh: (B, 3, 192, 192) in 0..1 → landmarks (B, 478, 3) in pixels of that crop, presence (B,) as a logit.
            device: Where they run.
        """
        self.short_range = short_range
        self.full_range = full_range
        self._mesh = mesh
        self._device = device

    def detect(self, frame: Frame) -> list[Detection]:
        """See :meth:`..models.FaceModels.detect`; only a thumbnail of the frame is read."""
        near, far = self.detect_with(self.short_range, frame), self.detect_with(self.full_range, frame)
        return merge_ranges(near, far, max(frame.width, frame.height))

    def roi_from_detection(self, detection: Detection) -> FaceRoi:
        """See :meth:`..models.FaceModels.roi_from_detection`."""
        return roi_from_detection(detection)

    @torch.inference_mode()
    def upright(self, frame: Frame, roi: FaceRoi) -> FaceRoi:
        """See :meth:`..models.FaceModels.upright`: the near detector likes upright faces best.

        The mesh network does not tell: it fits a face upside down with the same presence.
        """
        quarters = [replace(roi, rotation=roi.rotation + quarter * np.pi / 2) for quarter in range(4)]
        side = self.short_range.spec.input_side
        crops = np.stack([crop(frame, replace(each, side=each.side * LOOK_AROUND), side) for each in quarters])
        scores, _ = self.short_range.network(self._images(crops) * (2 / 255) - 1)
        return quarters[int(scores.amax(dim=1).argmax())]

    def roi_from_landmarks(self, landmarks: np.ndarray) -> FaceRoi:
        """See :meth:`..models.FaceModels.roi_from_landmarks`."""
        return roi_from_landmarks(landmarks)

    @torch.inference_mode()
    def fit(self, frame: Frame, rois: Sequence[FaceRoi]) -> list[MeshFit]:
        """See :meth:`..models.FaceModels.fit`; only the frame's pixels under the regions are read."""
        if not rois:
            return []
        crops = np.stack([crop(frame, roi, INPUT_SIDE) for roi in rois])
        landmarks, presence = self._mesh(self._images(crops) / 255.0)
        fits = zip(rois, landmarks.cpu().numpy(), torch.sigmoid(presence).tolist(), strict=True)
        return [
            MeshFit(landmarks=landmarks_to_frame(points, roi, INPUT_SIDE), presence=score)
            for roi, points, score in fits
        ]

    @torch.inference_mode()
    def detect_with(self, detector: Detector, frame: Frame) -> list[Detection]:
        """Find faces with one of ``short_range`` and ``full_range``, best score first."""
        letterbox = Letterbox.of(frame.width, frame.height, detector.spec.input_side)
        scores, boxes = detector.network(self._images(letterbox.picture(frame)[None]))
        candidates = decode(scores[0].cpu().numpy(), boxes[0].cpu().numpy(), detector.spec)
        return letterbox.detections(weighted_nms(candidates))

    def _images(self, pictures: np.ndarray) -> Tensor:
        """(B, H, W, 3) → float32 (B, 3, H, W) on the device; channels stay last in memory, as the networks run."""
        return torch.from_numpy(pictures).to(self._device).permute(0, 3, 1, 2).float()


def create(options: Options, resources: Resources) -> MediaPipeFaceModels:
    """Factory of the back end: the networks on the device of ``resources``, the CPU where that is undecided."""
    return load_mediapipe(resources.device or torch.device("cpu"))


def load_networks(folder: Path = EMBEDDED_FOLDER) -> dict[str, nn.Module]:
    """Load the three networks, float32 on the CPU.

    Source: MediaPipe 0.10.21 (Apache-2.0), converted by ``training/convert_mediapipe.py``.

    Args:
        folder: Where ``mediapipe_face.safetensors`` lies.

    Returns:
        ``short_range``, ``full_range`` and ``mesh``.

    Raises:
        WeightsError: The file is missing, damaged or made for other networks.
    """
    with torch.device("meta"):  # no random initial weights, which would move the caller's generator
        networks: dict[str, nn.Module] = {
            "short_range": ShortRangeBlazeFace(),
            "full_range": FullRangeBlazeFace(),
            "mesh": AttentionMesh(),
        }
    maker = "'python -m training.convert_mediapipe' from the PyPI wheel mediapipe==0.10.21 (Apache-2.0)"
    tensors, _ = embedded_tensors(WEIGHTS_FILE, maker=maker, folder=folder)
    for name, network in networks.items():
        state = {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}
        load_strict(network, state, what=f"{folder / WEIGHTS_FILE} ({name})", assign=True)
        network.eval().requires_grad_(False)
    return networks


@stays_loaded
def load_mediapipe(device: torch.device) -> MediaPipeFaceModels:
    """Load the embedded networks, once per process and device: recording a network costs time, and PyTorch never frees
    a recording.

    Args:
        device: Where they run.

    Returns:
        Detectors and mesh, shared with all who ask for them.

    Raises:
        WeightsError: The file is missing or damaged; the message says how to get it back.
    """
    networks = load_networks()
    for network in networks.values():
        network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in its stubs
    short_range = traced(networks["short_range"], SHORT_RANGE.input_side, device)
    return MediaPipeFaceModels(
        short_range=Detector(network=short_range, spec=SHORT_RANGE),
        full_range=Detector(network=networks["full_range"], spec=FULL_RANGE),
        mesh=traced(networks["mesh"], INPUT_SIDE, device),
        device=device,
    )
