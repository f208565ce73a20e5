"""SyncNet v2: LSE-D, LSE-C and the delay, as published."""
