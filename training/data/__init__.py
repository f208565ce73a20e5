"""Training data: published collections, prepared clips, pairs of an edited clip and the real clip with its words."""
