"""What is in front of a face: hands, microphones, captions, other people."""
