"""Audio-driven talking heads (AD-THG): one source frame + the sound and pose of the next n frames → n frames."""
