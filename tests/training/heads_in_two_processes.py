"""Run under torchrun, NAME PAIRS FILES FOLDER: two steps of a talking head; FOLDER takes the checkpoint."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from small_heads import LOOP, comparable_gradients, make_stage, with_small_generator

from training.loop import make_accelerator, train

if __name__ == "__main__":
    torch.set_num_threads(1)
    name, pairs, files, folder = sys.argv[1:]
    with comparable_gradients():
        stage = with_small_generator(make_stage(name, Path(pairs), Path(files)))
        accelerator = make_accelerator(stage, LOOP, cpu=True)
        assert accelerator.num_processes == 2
        train(stage, LOOP, Path(folder), accelerator=accelerator)
    accelerator.end_training()
