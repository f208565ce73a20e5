"""Networks that look at finished clips, one per file. State-dict keys are those of the public checkpoints."""
