use std::fmt;

/// How many images an export leaves out on purpose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Images that people rejected.
    pub rejected: usize,
    /// Images that nobody has annotated.
    pub unlabelled: usize,
    /// Images that do not fit the filter.
    pub filtered: usize,
    /// Annotated frames of videos, where only images are exported.
    pub frames: usize,
}

impl LeftOut {
    /// How many there are in all.
    pub fn total(&self) -> usize {
        self.rejected + self.unlabelled + self.filtered + self.frames
    }
}

impl fmt::Display for LeftOut {
    /// Nothing if none was left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            (self.unlabelled, "that nobody has labelled"),
            (self.rejected, "that were rejected"),
            (self.filtered, "that do not fit the filter"),
            (self.frames, "that are frames of videos"),
        ];
        let kinds = kinds.iter().filter(|(count, _)| *count > 0);
        let kinds: Vec<String> = kinds
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        if kinds.is_empty() {
            return Ok(());
        }
        let s = if self.total() == 1 { "" } else { "s" };
        write!(f, "image{s} left out: {}", kinds.join(", "))
    }
}
