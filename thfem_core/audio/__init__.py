"""Speech as networks take it: 16 kHz samples, log-mel spectrograms, cepstra, and the window around a moment."""
