"""Speech as the networks hear it: 16 kHz samples, mel and MFCC features, the window around a moment."""
