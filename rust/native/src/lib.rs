//! The extension module `torsion._native._core`.

/// The native engine of torsion.
#[pyo3::pymodule(gil_used = true)]
mod _core {}
