/// Receives the progress of a long piece of work.
///
/// The worker calls [`Progress::begin`] once, [`Progress::advance`] as it goes, from any
/// thread, and [`Progress::finish`] once at the end, also when the work failed.
pub trait Progress: Send + Sync {
    /// Work of `total` steps begins; `what` names it ("Reading images").
    fn begin(&self, what: &str, total: u64);

    /// `steps` more steps are done.
    fn advance(&self, steps: u64);

    /// The work ended.
    fn finish(&self);

    /// Tells something that is no error and that the user should know, one sentence.
    fn note(&self, _text: &str) {}
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn begin(&self, _what: &str, _total: u64) {}

    fn advance(&self, _steps: u64) {}

    fn finish(&self) {}
}
