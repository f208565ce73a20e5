"""Two clips with the same words, laid onto each other in time."""
