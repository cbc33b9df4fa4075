"""Protocol classes to build on."""
