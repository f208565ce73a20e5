"""Running LivePortrait's networks on crops of faces: in batches, in as much memory as there is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from ...errors import InputError
from ..compilation import compile_in_place
from ..threads import all_cpu_threads
from .keypoints import FaceMotion, face_motion, stack_motions
from .networks import LivePortraitNetworks

GPU_BATCH = 8
# Bytes beside the networks for one picture that is drawn, in float32: 485 MiB were measured on a CPU, and a graphics
# card's convolutions take work space. Half as much in bfloat16.
PICTURE_MEMORY = 640 * 2**20
_OutOfMemory: type[Exception] = getattr(torch, "OutOfMemoryError", torch.cuda.OutOfMemoryError)
Result = TypeVar("Result")


def working_memory(batch: int, dtype: torch.dtype) -> int:
    """Bytes that drawing ``batch`` pictures at once takes beside the networks."""
    return batch * PICTURE_MEMORY * dtype.itemsize // 4


class FaceDrawer:
    """Reads the motion of face crops and draws them with other keypoints. Geometry stays on the CPU in float32."""

    def __init__(
        self,
        networks: LivePortraitNetworks,
        device: torch.device,
        *,
        dtype: torch.dtype = torch.float32,
        batch: int = 0,
        compiled: bool = False,
    ) -> None:
        """Prepare the networks for a device.

        Args:
            networks: The networks; they are moved and, for their device, rewritten.
            device: Where they run.
            dtype: Number format of the large ones.
            batch: Pictures drawn at once; 0 chooses one for a CPU, more for a card. Memory that runs out halves it.
            compiled: Whether to compile warping and decoder.

        Raises:
            InputError: There is no compiler.
        """
        networks.prepare(device, dtype)
        if compiled:
            for network in (networks.warping, networks.decoder):
                compile_in_place(network, device)
        self.networks, self.device = networks, device
        self.batch = batch or (1 if device.type == "cpu" else GPU_BATCH)

    @property
    def side(self) -> int:
        """Pixels of a side of the crops; twice that of what is drawn."""
        return self.networks.sizes.side

    @torch.inference_mode()
    def read(self, pictures: Sequence[np.ndarray]) -> FaceMotion:
        """Where the keypoints of crops are.

        Args:
            pictures: N crops (side, side, 3) uint8 RGB.

        Returns:
            N faces, on the CPU.
        """

        def run(start: int, stop: int) -> FaceMotion:
            motion = face_motion(self.networks.read_motion(self._images(pictures[start:stop])))
            return FaceMotion(*(field.cpu() for field in motion))

        return stack_motions(self._in_batches(run, len(pictures)))

    @torch.inference_mode()
    def draw(self, pictures: Sequence[np.ndarray], source: Tensor, driving: Sequence[Tensor]) -> list[np.ndarray]:
        """Draw crops with their keypoints moved, each in several ways.

        Args:
            pictures: N crops (side, side, 3) uint8 RGB.
            source: (N, 21, 3) their keypoints.
            driving: Each (N, 21, 3), the keypoints of one way.

        Returns:
            For each way (N, 2·side, 2·side, 3) float32 RGB in 0..1.
        """

        def run(start: int, stop: int) -> np.ndarray:
            appearance = self.networks.appearance(self._images(pictures[start:stop]))
            rows = slice(start, stop)
            ways = [
                self.networks.render(appearance, source[rows].to(self.device), points[rows].to(self.device))
                for points in driving
            ]
            return torch.stack(ways).permute(0, 1, 3, 4, 2).cpu().numpy()

        return list(np.concatenate(self._in_batches(run, len(pictures)), axis=1))

    @torch.inference_mode()
    def on_device(self, compute: Callable[..., Tensor], *tensors: Tensor) -> Tensor:
        """``compute`` of ``tensors`` moved to the device; the result is on the CPU."""
        return compute(*(tensor.to(self.device) for tensor in tensors)).cpu()

    def _images(self, pictures: Sequence[np.ndarray]) -> Tensor:
        stacked = torch.from_numpy(np.stack(pictures)).to(self.device)
        return stacked.permute(0, 3, 1, 2).float().div_(255.0)

    def _in_batches(self, run: Callable[[int, int], Result], count: int) -> list[Result]:
        """``run`` over ranges of at most :attr:`batch`, which halves where memory runs out.

        Raises:
            InputError: Memory runs out for a single picture.
        """
        results: list[Result] = []
        done = 0
        with all_cpu_threads(self.device):
            while done < count:
                stop = min(done + self.batch, count)
                try:
                    results.append(run(done, stop))
                except _OutOfMemory:
                    if self.batch == 1:
                        need = working_memory(1, self.networks.dtype) / 2**30
                        raise InputError(
                            f"the graphics card has too little free memory for LivePortrait (about {need:.1f} GB "
                            "beside its networks); close other programs, or use --device cpu"
                        ) from None
                    self.batch //= 2
                    if self.device.type == "cuda":
                        torch.cuda.empty_cache()
                    continue
                done = stop
        return results
