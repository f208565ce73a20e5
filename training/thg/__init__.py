"""Parts of the talking head recipe: configuration, data, losses, the training loop, one module per trained network."""
