"""mini-Xception as an offline expression measure."""
