"""Run under torchrun: six steps of the tiny task, stopped and resumed in the middle. FOLDER takes the checkpoint."""

from __future__ import annotations

import sys
from pathlib import Path

from accelerate import Accelerator
from tiny_task import TinyTask

from training.thg.config import LoopConfig
from training.thg.loop import train

if __name__ == "__main__":
    config = LoopConfig(steps=6, batch=4, warmup=2, lr=1e-2, threads=1, seed=3)
    for _ in range(2):
        accelerator = Accelerator(cpu=True)
        assert accelerator.num_processes == 2
        train(TinyTask(dropout=0.0), config, Path(sys.argv[1]), accelerator=accelerator, stop_after=3)
        accelerator.wait_for_everyone()
    accelerator.end_training()
