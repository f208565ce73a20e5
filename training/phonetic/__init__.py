"""Speech whose phones and times are known, so that the encoder of the motion network hears many voices."""
