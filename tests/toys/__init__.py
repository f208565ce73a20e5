"""Back ends for tests: all there is to adding one is a folder here and a line that registers it."""
