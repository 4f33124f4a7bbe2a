use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Reason;
use crate::error::Part;
use crate::knn::Bank;
use crate::linalg::WithinClass;
use crate::numeric::{argmax, softmax};
use crate::{ActivationSet, Head, Matrix};

/// What detectors are fitted on: in-distribution activations and the deployed model's head.
///
/// What several detectors need is computed once and shared.
#[derive(Debug)]
pub(crate) struct FitContext<'a> {
    set: &'a ActivationSet,
    head: Option<&'a Head>,
    /// How many neighbours the most demanding detector asks for.
    neighbours: usize,
    labels: Vec<u32>,
    class_rows: Vec<Vec<usize>>,
    shared: Mutex<BTreeMap<String, Arc<dyn Any + Send + Sync>>>,
    /// Whether memory counts more than time.
    spares_memory: bool,
}

/// From so many numbers in the bank on, memory counts more than time.
const LARGE_BANK: usize = 16_000_000;

impl<'a> FitContext<'a> {
    /// Prepares a fit; without labels the classes that the model predicts take their place.
    pub(crate) fn new(set: &'a ActivationSet, head: Option<&'a Head>, neighbours: usize) -> Self {
        let labels = classes_of(set);
        let mut class_rows = vec![Vec::new(); set.classes()];
        for (row, &label) in labels.iter().enumerate() {
            class_rows[label as usize].push(row);
        }
        Self {
            set,
            head,
            neighbours,
            labels,
            class_rows,
            shared: Mutex::default(),
            spares_memory: false,
        }
    }

    /// The same, with a bank of unit vectors that holds more images than the set.
    #[must_use]
    pub(crate) fn with_bank(mut self, bank: Arc<Bank>) -> Self {
        self.spares_memory = bank.numbers() >= LARGE_BANK;
        let shared = self.shared.lock();
        shared
            .unwrap_or_else(PoisonError::into_inner)
            .insert(Bank::section(true).to_owned(), bank as _);
        self
    }

    /// Whether memory counts more than time: the bank is large.
    pub(crate) fn spares_memory(&self) -> bool {
        self.spares_memory
    }

    /// Drops what was shared but banks: who asks for it again pays again.
    pub(crate) fn forget(&self) {
        let banks = [true, false].map(Bank::section);
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.retain(|name, _| banks.contains(&name.as_str()));
    }

    /// The feature vectors, shape `[n, D]`.
    pub(crate) fn features(&self) -> &'a Matrix {
        self.set.features()
    }

    /// The images' activations.
    pub(crate) fn set(&self) -> &'a ActivationSet {
        self.set
    }

    /// The feature vectors, scaled to length 1 if asked for.
    pub(crate) fn view(&self, normalise: bool) -> Arc<Matrix> {
        let section = if normalise {
            "features.unit"
        } else {
            "features.raw"
        };
        self.shared(section, || {
            if normalise {
                self.features().unit_rows()
            } else {
                self.features().clone()
            }
        })
    }

    /// The class of each image.
    pub(crate) fn labels(&self) -> Result<&[u32], Reason> {
        if self.labels.is_empty() {
            Err(Part::Labels.into())
        } else {
            Ok(&self.labels)
        }
    }

    /// The rows of each class; classes without an image have none.
    pub(crate) fn class_rows(&self) -> Result<&[Vec<usize>], Reason> {
        self.labels().map(|_| self.class_rows.as_slice())
    }

    /// The head of the deployed model, checked before.
    pub(crate) fn head(&self) -> Result<&'a Head, Reason> {
        self.head.ok_or_else(|| Part::Head.into())
    }

    /// The raw class scores, shape `[n, C]`.
    pub(crate) fn logits(&self) -> Result<&'a Matrix, Reason> {
        self.set.logits().ok_or_else(|| Part::Logits.into())
    }

    /// The class probabilities, shape `[n, C]`: as given, or else the softmax of the logits.
    pub(crate) fn probabilities(&self) -> Result<Arc<Matrix>, Reason> {
        if let Some(given) = self.set.probabilities() {
            return Ok(self.shared("probabilities", || given.clone()));
        }
        let logits = self.set.logits().ok_or(Reason::from(Part::Probabilities))?;
        Ok(self.shared("probabilities", || {
            let rows: Vec<Vec<f32>> = logits.iter_rows().map(softmax).collect();
            Matrix::from_fn(logits.rows(), logits.columns(), |i, j| rows[i][j])
        }))
    }

    /// Fails unless the model tells classes apart.
    pub(crate) fn needs_class_scores(&self) -> Result<usize, Reason> {
        let scores = self
            .set
            .class_scores()
            .ok_or(Reason::from(Part::Probabilities))?;
        if scores.columns() < 2 {
            Err(Reason::OneClass)
        } else {
            Ok(scores.columns())
        }
    }

    /// Fails unless there are at least `needed` images.
    pub(crate) fn needs_images(&self, needed: usize) -> Result<(), Reason> {
        let actual = self.set.len();
        if actual < needed {
            Err(Reason::TooFewImages { needed, actual })
        } else {
            Ok(())
        }
    }

    /// The searchable bank of all images.
    pub(crate) fn bank(&self, normalise: bool) -> Arc<Bank> {
        self.shared(Bank::section(normalise), || {
            Bank::new(
                &self.view(normalise),
                self.labels.clone(),
                normalise,
                self.neighbours,
            )
        })
    }

    /// The covariance of the feature vectors about their class means.
    pub(crate) fn within(&self, normalise: bool) -> Result<Arc<WithinClass>, Reason> {
        let section = if normalise {
            "within.unit"
        } else {
            "within.raw"
        };
        let rows = self.class_rows()?;
        Ok(self.shared(section, || WithinClass::fit(&self.view(normalise), rows)))
    }

    /// What `make` gives, made once for all detectors of this fit.
    pub(crate) fn shared<T: Any + Send + Sync>(
        &self,
        name: &str,
        make: impl FnOnce() -> T,
    ) -> Arc<T> {
        let known = |name: &str| {
            let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
            shared
                .get(name)
                .cloned()
                .and_then(|value| value.downcast::<T>().ok())
        };
        if let Some(value) = known(name) {
            return value;
        }
        let value = Arc::new(make());
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.insert(name.to_owned(), Arc::clone(&value) as _);
        value
    }
}

/// The class of each image: its label, or else the class that the model predicts; empty when
/// there is neither.
pub(crate) fn classes_of(set: &ActivationSet) -> Vec<u32> {
    let predicted = |scores: &Matrix| scores.iter_rows().map(|row| argmax(row) as u32).collect();
    set.labels()
        .map(<[u32]>::to_vec)
        .or_else(|| set.class_scores().map(predicted))
        .unwrap_or_default()
}
