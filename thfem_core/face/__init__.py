"""Finding, tracking, cropping and pasting faces."""
