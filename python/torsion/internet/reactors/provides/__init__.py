"""What reactors over an engine provide: one file for each group of interfaces, each a mixin class."""
