"""Expressions by valence and arousal: how pleasant and how excited a face looks.

The idea is that of DSM (Solanki and Roussos, ECCV Workshops 2022), of which no code or weights are public; the map
from the plane to a face and the editor that draws it are ours.
"""
