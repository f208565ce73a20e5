"""LivePortrait as an expression editor: from a request to moved keypoints, drawn into the native frames."""
