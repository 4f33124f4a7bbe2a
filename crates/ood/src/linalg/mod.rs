//! Means, covariances, principal axes and whitening, in double precision where it matters.
//!
//! Covariances of few images in many dimensions are singular, and single precision then turns
//! Mahalanobis scores into noise; so everything is decomposed in double precision, except the
//! principal axes for reconstruction errors of many images, where single precision is exact to
//! 1e-5 and several times faster.

mod class_shapes;
mod eigen;
mod pca;
mod precision;
mod pseudo_inverse;
mod spread;
mod stats;

pub(crate) use class_shapes::{ClassShape, PooledAxes};
pub(crate) use eigen::{Eigen, eigen};
pub(crate) use pca::{Keep, Pca};
pub(crate) use precision::{Distances, WithinClass, dot64};
pub(crate) use pseudo_inverse::virtual_origin;
pub(crate) use stats::{centred, class_means, column_means, gram, scatter};
