"""MobileFaceNet as an offline identity measure."""
