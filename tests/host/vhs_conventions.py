"""A neighbour in the test host's custom_nodes: a loader and a combiner with the conventions of VideoHelperSuite.

No package registry has VideoHelperSuite. Its loader gives IMAGE [N, H, W, 3] float32 on the CPU, the number of frames,
an AUDIO that is read when somebody asks for it and is no dict, and a dict of facts; its combiner takes IMAGE, a rate
and AUDIO.
"""

import json
import os
from collections.abc import Mapping

import av
import folder_paths
import numpy as np
import torch


class LazyAudio(Mapping):
    def __init__(self, path):
        self._path, self._read = path, None

    def _values(self):
        if self._read is None:
            with av.open(self._path) as file:
                rate = file.streams.audio[0].rate
                blocks = [frame.to_ndarray() for frame in file.decode(audio=0)]
            self._read = {"waveform": torch.from_numpy(np.concatenate(blocks, axis=1))[None], "sample_rate": rate}
        return self._read

    def __getitem__(self, key):
        return self._values()[key]

    def __iter__(self):
        return iter(self._values())

    def __len__(self):
        return len(self._values())


class LoadVideo:
    CATEGORY, FUNCTION = "tests", "load"
    RETURN_TYPES, RETURN_NAMES = ("IMAGE", "INT", "AUDIO", "VHS_VIDEOINFO"), ("IMAGE", "frame_count", "audio", "info")

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"video": ("STRING", {})}}

    def load(self, video):
        path = folder_paths.get_annotated_filepath(video)
        with av.open(path) as file:
            rate = float(file.streams.video[0].average_rate)
            frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
        images = torch.from_numpy(np.stack(frames)).float().div(255)
        facts = {"source_fps": rate, "loaded_fps": rate, "loaded_frame_count": len(images)}
        return images, len(images), LazyAudio(path), facts


class VideoCombine:
    CATEGORY, FUNCTION, OUTPUT_NODE, RETURN_TYPES = "tests", "combine", True, ("VHS_FILENAMES",)

    @classmethod
    def INPUT_TYPES(cls):
        required = {"images": ("IMAGE",), "frame_rate": ("FLOAT", {"default": 8})}
        return {"required": required, "optional": {"audio": ("AUDIO",)}}

    def combine(self, images, frame_rate, audio=None):
        count = 0
        for image in images:
            assert image.dtype == torch.float32 and image.device.type == "cpu" and 0 <= image.min() <= image.max() <= 1
            count += 1
        heard = None if audio is None else audio["waveform"].shape[-1] / audio["sample_rate"]
        seen = {"frames": count, "size": list(images.shape[1:]), "seconds": count / frame_rate, "sound": heard}
        with open(os.path.join(folder_paths.get_output_directory(), "combined.json"), "w") as file:
            json.dump(seen, file)
        return {"ui": {"gifs": []}, "result": ((True, ["combined.json"]),)}


NODE_CLASS_MAPPINGS = {"VHS_LoadVideo": LoadVideo, "VHS_VideoCombine": VideoCombine}
