"""The pack's own sync expert: one second of lip motion against the speech of that second."""
