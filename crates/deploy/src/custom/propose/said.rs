/// Where a fact comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A file says it: the model, or one beside it.
    File,
    /// The graph shows it: names, types, shapes, nodes, or the numbers that it gives.
    Graph,
    /// Usual for such models.
    Guess,
    /// The user said it.
    You,
}

impl Origin {
    /// Its name in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Graph => "graph",
            Self::Guess => "guess",
            Self::You => "you",
        }
    }
}

/// A fact of a description with its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The key of the description, such as `input.mean`.
    pub key: String,
    /// Where its value comes from.
    pub origin: Origin,
    /// Why, in a few words.
    pub why: String,
}
