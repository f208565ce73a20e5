"""The command line: one file per subcommand, ``main`` ties them together."""
