"""The expression editor "frames": frames that another system has edited already take the source's place."""
