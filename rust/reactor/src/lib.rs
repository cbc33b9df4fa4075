//! The event loop of torsion. It knows nothing of Python.

#![forbid(unsafe_code)]
