"""Run under torchrun: six steps of the tiny stage, stopped and resumed in the middle. FOLDER takes the checkpoint."""

from __future__ import annotations

import sys
from pathlib import Path

from tiny_stage import TinyStage

from training.config import LoopConfig
from training.loop import make_accelerator, train

if __name__ == "__main__":
    config = LoopConfig(steps=6, batch=4, warmup=2, lr=1e-2, seed=3)
    for _ in range(2):
        stage = TinyStage(dropout=0.0)
        accelerator = make_accelerator(stage, config, cpu=True)
        assert accelerator.num_processes == 2
        train(stage, config, Path(sys.argv[1]), accelerator=accelerator, stop_after=3)
        accelerator.wait_for_everyone()
    accelerator.end_training()
