use crate::Matrix;

/// Marks a leaf in [`Node::column`].
const LEAF: u32 = u32::MAX;

/// One node of a tree: a question, or a leaf's answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Node {
    /// The column asked about; [`LEAF`] for leaves.
    column: u32,
    /// Index of the node for values up to the threshold; the other follows at `right`.
    left: u32,
    right: u32,
    /// The threshold, or a leaf's probability.
    value: f64,
}

impl Node {
    pub(crate) fn leaf(probability: f64) -> Self {
        Self {
            column: LEAF,
            left: 0,
            right: 0,
            value: probability,
        }
    }

    pub(crate) fn split(column: usize, threshold: f64, left: u32, right: u32) -> Self {
        Self {
            column: column as u32,
            left,
            right,
            value: threshold,
        }
    }
}

/// One tree; node 0 is its root, and children always come after their parent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tree(Vec<Node>);

impl Tree {
    /// Takes nodes whose children lie after them; `None` when they do not.
    pub(crate) fn new(nodes: Vec<Node>) -> Option<Self> {
        let last = nodes.len() as u32;
        let sound = |(index, node): (usize, &Node)| {
            let child = |at: u32| at > index as u32 && at < last;
            node.column == LEAF || (child(node.left) && child(node.right))
        };
        let all_sound = !nodes.is_empty() && nodes.iter().enumerate().all(sound);
        all_sound.then_some(Self(nodes))
    }

    /// Takes nodes that were appended after their parents.
    pub(super) fn grown(nodes: Vec<Node>) -> Self {
        Self(nodes)
    }

    /// The outliers' part of the leaf that a row falls into.
    pub(crate) fn probability(&self, row: &[f64]) -> f64 {
        let mut node = &self.0[0];
        while node.column != LEAF {
            let goes_left = row[node.column as usize] <= node.value;
            node = &self.0[if goes_left { node.left } else { node.right } as usize];
        }
        node.value
    }

    /// The nodes as rows of five numbers: nodes of the tree, column (-1 for a leaf), left,
    /// right, value.
    pub(super) fn nodes(&self) -> impl Iterator<Item = [f64; 5]> + '_ {
        let count = self.0.len() as f64;
        self.0.iter().map(move |node| {
            let column = if node.column == LEAF {
                -1.0
            } else {
                f64::from(node.column)
            };
            [
                count,
                column,
                f64::from(node.left),
                f64::from(node.right),
                node.value,
            ]
        })
    }

    /// Reads all trees of a forest; `None` when the numbers are not a forest over `columns` columns.
    pub(super) fn read_all(nodes: &Matrix<f64>, columns: usize) -> Option<Vec<Self>> {
        let rows: Vec<&[f64]> = nodes.iter_rows().collect();
        let mut rest = rows.as_slice();
        let mut trees = Vec::new();
        while let Some(count) = rest.first().and_then(|row| row.first()) {
            let (tree, others) = rest.split_at_checked(*count as usize)?;
            let tree: Option<Vec<Node>> = tree.iter().map(|row| read(row, columns)).collect();
            trees.push(Self::new(tree?)?);
            rest = others;
        }
        Some(trees)
    }
}

/// One node from its five numbers.
fn read(row: &[f64], columns: usize) -> Option<Node> {
    let &[_, column, left, right, value] = row else {
        return None;
    };
    if column < 0.0 {
        return (0.0..=1.0).contains(&value).then(|| Node::leaf(value));
    }
    let known = (column as usize) < columns && value.is_finite();
    known.then(|| Node::split(column as usize, value, left as u32, right as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_answers_by_its_questions() {
        let nodes = vec![Node::split(0, 0.5, 1, 2), Node::leaf(0.1), Node::leaf(0.9)];
        let tree = Tree::new(nodes).unwrap();
        assert!((tree.probability(&[0.5]) - 0.1).abs() < 1e-12);
        assert!((tree.probability(&[0.6]) - 0.9).abs() < 1e-12);
    }

    #[test]
    fn nodes_that_lead_nowhere_or_back_are_refused() {
        assert!(Tree::new(vec![]).is_none());
        assert!(Tree::new(vec![Node::split(0, 0.5, 0, 1), Node::leaf(0.1)]).is_none());
        assert!(Tree::new(vec![Node::split(0, 0.5, 1, 7), Node::leaf(0.1)]).is_none());
        let zero = Matrix::new(1, 5, vec![0.0; 5]).unwrap();
        assert!(Tree::read_all(&zero, 1).is_none());
        let wide = Matrix::new(1, 5, vec![9.0, -1.0, 0.0, 0.0, 0.5]).unwrap();
        assert!(Tree::read_all(&wide, 1).is_none());
    }
}
