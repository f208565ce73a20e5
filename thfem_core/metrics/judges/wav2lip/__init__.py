"""The sync expert of Wav2Lip, which judges in a training loss only."""
