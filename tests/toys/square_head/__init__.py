"""A talking head that draws a square."""
