//! The hooks as they were made, by which replaced ones are told.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;

use super::PyDeferred;

static HOOKS: PyOnceLock<Vec<(Py<PyString>, Py<PyAny>)>> = PyOnceLock::new();

/// What is called here without being looked up, unless it was replaced.
const NAMES: [&str; 5] = ["__init__", "__new__", "callback", "errback", "cancel"];

/// Remembers the hooks; to be called before anybody can replace them.
pub(super) fn remember(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<PyDeferred>();
    let hooks = NAMES
        .iter()
        .map(|&name| {
            Ok((
                PyString::intern(py, name).unbind(),
                class.getattr(name)?.unbind(),
            ))
        })
        .collect::<PyResult<Vec<_>>>()?;
    HOOKS.get_or_init(py, || hooks);
    Ok(())
}

/// The hooks, by name.
pub(super) fn hooks<'py>(
    py: Python<'py>,
) -> impl Iterator<Item = (&'py Bound<'py, PyString>, &'py Bound<'py, PyAny>)> {
    HOOKS
        .get(py)
        .into_iter()
        .flatten()
        .map(move |(name, hook)| (name.bind(py), hook.bind(py)))
}
