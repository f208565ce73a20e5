"""PC-Talk as a talking head: lips from sound, drawn by LivePortrait into frames that any editor has edited."""
