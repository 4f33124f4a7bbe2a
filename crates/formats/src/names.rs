use std::collections::HashSet;

/// The longest stem in characters; with an identifier and an extension it fits any file system.
const LONGEST: usize = 120;

/// Names for the files of images that are called as people like, and not all differently.
///
/// Each name stays in its folder on every system and is given once, also where upper and lower
/// case are the same. The first image of a name keeps it; later ones get their identifier added.
#[derive(Debug, Default)]
pub struct FileNames {
    taken: HashSet<String>,
}

impl FileNames {
    /// The file name, without extension, for an image of this name and identifier.
    pub fn give(&mut self, name: &str, id: &str) -> String {
        let clean = |c: char| {
            let forbidden = c.is_control() || "/\\:*?\"<>|".contains(c);
            if forbidden { '_' } else { c }
        };
        let cleaned: String = name.chars().take(LONGEST).map(clean).collect();
        let visible = cleaned.trim_start_matches('.').trim_end_matches(['.', ' ']);
        let mut stem = visible.to_owned();
        if stem != cleaned || stem.is_empty() || !self.taken.insert(stem.to_lowercase()) {
            stem = format!("{visible}_{id}");
            self.taken.insert(stem.to_lowercase());
        }
        stem
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_files_share_a_name_and_none_leaves_its_folder() {
        let mut names = FileNames::default();
        let mut give = |name: &str, id: &str| names.give(name, id);
        assert_eq!(give("a", "1"), "a");
        assert_eq!(give("A", "2"), "A_2");
        assert_eq!(give("a", "3"), "a_3");
        assert_eq!(give("../b", "4"), "_b_4");
        assert_eq!(give("", "5"), "_5");
        assert_eq!(give("c/d:e", "6"), "c_d_e");
    }
}
