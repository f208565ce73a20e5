"""An expression editor that paints a corner of each frame."""
