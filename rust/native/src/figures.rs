//! What an engine tells of itself, to those who ask.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use torsion_reactor::{Holdings, Stream, Time, Work};

use crate::shared::Shared;
use crate::stream::PyStream;

/// A time in steps of 1,024 nanoseconds, of which six bytes hold nine years' worth.  They fit where eight would need a place of
/// their own.
#[derive(Clone, Copy)]
pub(crate) struct Moment([u8; 6]);

impl Moment {
    const STEP: u32 = 10;

    pub(crate) fn of(time: Time) -> Self {
        let [low @ .., _, _] = (time.as_nanos() >> Self::STEP).to_le_bytes();
        Self(low)
    }

    pub(crate) fn time(self) -> Time {
        let [a, b, c, d, e, f] = self.0;
        Time::from_nanos(u64::from_le_bytes([a, b, c, d, e, f, 0, 0]) << Self::STEP)
    }
}

/// A stream, when it was opened, and how many bytes were read, were written, and wait to be written.
pub(crate) type Connection = (Py<PyStream>, f64, u64, u64, usize);

/// Tells of those of `streams` that are `owner`'s, or of all.
pub(crate) fn connections(
    shared: &Shared,
    streams: Vec<Py<PyStream>>,
    py: Python<'_>,
    owner: Option<&Bound<'_, PyAny>>,
) -> PyResult<Vec<Connection>> {
    let state = shared.enter()?;
    let is_meant = |stream: &PyStream| match owner {
        None => true,
        Some(owner) => stream.owner_of(py).is_some_and(|its| its.is(owner)),
    };
    Ok(streams
        .into_iter()
        .filter(|stream| is_meant(stream.get()))
        .filter_map(|stream| {
            let passed = state.stream(stream.get().token(), Stream::statistics)?;
            let opened = shared.wall(stream.get().opened());
            Some((
                stream,
                opened,
                passed.bytes_read,
                passed.bytes_written,
                passed.bytes_queued,
            ))
        })
        .collect())
}

/// Tells how many descriptors of each sort there are.
pub(crate) fn holdings(py: Python<'_>, held: Holdings) -> PyResult<Bound<'_, PyDict>> {
    let record = PyDict::new(py);
    record.set_item("connections", held.connections)?;
    record.set_item("connecting", held.connecting)?;
    record.set_item("listeners", held.listeners)?;
    record.set_item("datagrams", held.datagrams)?;
    record.set_item("pipes", held.pipes)?;
    record.set_item("watched", held.watched)?;
    Ok(record)
}

/// Tells what the loop has done; begins a new measure of the longest turn.
pub(crate) fn pulse<'py>(shared: &Shared, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
    let (figures, work) = {
        let state = shared.enter()?;
        (state.statistics(), state.work_done())
    };
    let mut histogram: Vec<(f64, u64)> = Work::bounds()
        .iter()
        .zip(work.counts)
        .map(|(bound, count)| (bound.as_secs_f64(), count))
        .collect();
    if let Some((last, _)) = histogram.last_mut() {
        *last = f64::INFINITY;
    }
    let record = PyDict::new(py);
    record.set_item("now", shared.wall(shared.clock.now()))?;
    record.set_item("turns", figures.turns)?;
    record.set_item("waits", figures.waits)?;
    record.set_item("busy", work.busy.as_secs_f64())?;
    record.set_item("longest", work.longest.as_secs_f64())?;
    record.set_item("histogram", pyo3::types::PyTuple::new(py, histogram)?)?;
    record.set_item("timers", figures.timers)?;
    record.set_item("opened", figures.streams_opened)?;
    record.set_item("closed", figures.streams_closed)?;
    Ok(record)
}
