"""The embedded face tracker back end: detect with BlazeFace, fit with the attention mesh."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

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
from .tracing import traced

WEIGHTS_FILE = "mediapipe_face.safetensors"
LOOK_AROUND = 1.5  # side of the picture in which :meth:`MediaPipeFaceModels.upright` looks, over the region's


@dataclass(frozen=True, kw_only=True, slots=True)
class Detector:
    """A face detector.

    network: (B, 3, side, side) in -1..1 → scores (B, N) as logits, boxes (B, N, 16), see :func:`.anchors.decode`.
    spec: Meaning of its input and output.
    """

    network: nn.Module
    spec: DetectorSpec


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class _RoughFit:
    """What a rough fit leaves for the refinement.

    roi: The region of the frame.
    mesh: (468, 3) in pixels of the crop.
    features: (32, 48, 48) of it.
    """

    roi: FaceRoi
    mesh: Tensor
    features: Tensor


class MediaPipeFaceModels:
    """MediaPipe's networks as :class:`..models.FaceModels`.

    short_range: Detector for faces that fill much of the frame.
    full_range: Detector for small faces.
    """

    def __init__(
        self, *, short_range: Detector, full_range: Detector, mesh: AttentionMesh, device: torch.device
    ) -> None:
        """Take loaded networks.

        Args:
            short_range: See the class.
            full_range: See the class.
            mesh: The mesh network.
            device: Where they run.
        """
        self.short_range = short_range
        self.full_range = full_range
        self._mesh = mesh
        picture = torch.zeros(1, 3, INPUT_SIDE, INPUT_SIDE, device=device)
        self._coarse = traced(mesh, "coarse", picture.contiguous(memory_format=torch.channels_last))
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

    def fit(self, frame: Frame, rois: Sequence[FaceRoi]) -> list[MeshFit]:
        """See :meth:`..models.FaceModels.fit`; only the frame's pixels under the regions are read."""
        rough = self.fit_roughly(frame, rois)
        exact = self.refined(rough)
        return [
            MeshFit(landmarks=landmarks, presence=fit.presence) for landmarks, fit in zip(exact, rough, strict=True)
        ]

    @torch.inference_mode()
    def fit_roughly(self, frame: Frame, rois: Sequence[FaceRoi]) -> list[MeshFit]:
        """See :meth:`..models.FaceModels.fit_roughly`."""
        if not rois:
            return []
        crops = np.stack([crop(frame, roi, INPUT_SIDE) for roi in rois])
        meshes, presence, features = self._coarse(self._images(crops) / 255.0)
        scores = torch.sigmoid(presence).tolist()
        return [
            MeshFit(
                landmarks=landmarks_to_frame(mesh.cpu().numpy(), roi, INPUT_SIDE),
                presence=score,
                details=_RoughFit(roi=roi, mesh=mesh, features=seen),
            )
            for roi, mesh, score, seen in zip(rois, meshes, scores, features, strict=True)
        ]

    @torch.inference_mode()
    def refined(self, fits: Sequence[MeshFit]) -> list[np.ndarray]:
        """See :meth:`..models.FaceModels.refined`; takes fits of :meth:`fit_roughly`."""
        if not fits:
            return []
        rough = [cast(_RoughFit, fit.details) for fit in fits]
        # channels stay last in memory
        features = torch.stack([fit.features.permute(1, 2, 0) for fit in rough]).permute(0, 3, 1, 2)
        landmarks = self._mesh.refine(torch.stack([fit.mesh for fit in rough]), features).cpu().numpy()
        return [landmarks_to_frame(points, fit.roi, INPUT_SIDE) for points, fit in zip(landmarks, rough, strict=True)]

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
    return MediaPipeFaceModels(
        short_range=Detector(network=networks["short_range"], spec=SHORT_RANGE),
        full_range=Detector(network=networks["full_range"], spec=FULL_RANGE),
        mesh=cast(AttentionMesh, networks["mesh"]),
        device=device,
    )
