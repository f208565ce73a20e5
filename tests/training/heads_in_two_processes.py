"""Run under torchrun, NAME PAIRS FILES FOLDER: the first steps of a talking head; FOLDER takes the checkpoint."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from small_heads import COMPARED, COMPARED_LOOP, make_stage, with_small_generator

from training.loop import make_accelerator, train

if __name__ == "__main__":
    torch.set_num_threads(1)
    name, pairs, files, folder = sys.argv[1:]
    stage = with_small_generator(make_stage(name, Path(pairs), Path(files), **COMPARED))
    accelerator = make_accelerator(stage, COMPARED_LOOP, cpu=True)
    assert accelerator.num_processes == 2
    train(stage, COMPARED_LOOP, Path(folder), accelerator=accelerator)
    accelerator.end_training()
