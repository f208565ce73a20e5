"""Readable recipes: training data, the stages of training, evaluation by the papers' tables."""
