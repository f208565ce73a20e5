"""The embedded face tracker back end: detect with BlazeFace, fit with the attention mesh."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ...media.frame import Frame
from ..models import Detection, FaceRoi, MeshFit
from . import roi as rois_
from .anchors import DetectorSpec, decode
from .blazeface import ShortRangeBlazeFace
from .full_range import FullRangeBlazeFace
from .letterbox import Letterbox
from .mesh_net import INPUT_SIDE, AttentionMesh
from .suppression import weighted_nms
from .weights import load_networks


class MediaPipeFaceModels:
    """:class:`~thfem_core.face.models.FaceModels` over MediaPipe's networks. Holds no state between calls."""

    def __init__(
        self,
        *,
        short_range: ShortRangeBlazeFace,
        full_range: FullRangeBlazeFace,
        mesh: AttentionMesh,
        device: torch.device,
    ) -> None:
        self._detectors = (short_range, full_range)
        self._mesh = mesh
        self._device = device

    def detect(self, frame: Frame) -> list[Detection]:
        """All faces, best score first. The full-range network looks only where the short-range one sees nobody."""
        for network in self._detectors:
            found = self._detect_with(network, frame)
            if found:
                return found
        return []

    def roi_from_detection(self, detection: Detection) -> FaceRoi:
        return rois_.roi_from_detection(detection)

    def roi_from_landmarks(self, landmarks: np.ndarray) -> FaceRoi:
        return rois_.roi_from_landmarks(landmarks)

    @torch.inference_mode()
    def fit(self, frame: Frame, rois: Sequence[FaceRoi]) -> list[MeshFit]:
        """Fit the mesh inside each region, all regions in one batch; no regions, no fits."""
        if not rois:
            return []
        crops = np.stack([rois_.crop(frame, roi, INPUT_SIDE) for roi in rois])
        landmarks, presence = self._mesh(self._images(crops) / 255.0)
        fits = zip(rois, landmarks.cpu().numpy(), torch.sigmoid(presence).tolist(), strict=True)
        return [
            MeshFit(landmarks=rois_.landmarks_to_frame(points, roi, INPUT_SIDE), presence=score)
            for roi, points, score in fits
        ]

    @torch.inference_mode()
    def _detect_with(self, network: ShortRangeBlazeFace | FullRangeBlazeFace, frame: Frame) -> list[Detection]:
        spec: DetectorSpec = network.spec
        letterbox = Letterbox.of(frame.width, frame.height, spec.input_side)
        scores, boxes = network(self._images(letterbox.picture(frame)[None]))
        candidates = decode(scores[0].cpu().numpy(), boxes[0].cpu().numpy(), spec)
        return letterbox.detections(weighted_nms(candidates))

    def _images(self, pictures: np.ndarray) -> Tensor:
        """(B, H, W, 3) → float32 (B, 3, H, W) on the device; channels stay last in memory, as the networks run."""
        return torch.from_numpy(pictures).to(self._device).permute(0, 3, 1, 2).float()


def load_mediapipe(*, device: torch.device) -> MediaPipeFaceModels:
    """The embedded networks, ready on ``device``. Raises WeightsError that says how to get the weights back.

    Source: MediaPipe 0.10.21 (Apache-2.0), converted by ``training/convert_mediapipe.py``.
    """
    networks: dict[str, nn.Module] = {
        "short_range": ShortRangeBlazeFace(),
        "full_range": FullRangeBlazeFace(),
        "mesh": AttentionMesh(),
    }
    load_networks(networks)
    ready = {name: net.eval().to(device=device, memory_format=torch.channels_last) for name, net in networks.items()}
    return MediaPipeFaceModels(**ready, device=device)
