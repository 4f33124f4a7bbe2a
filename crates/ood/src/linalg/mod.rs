//! Means, covariances, principal axes and whitening, in double precision where it matters.
//!
//! Covariances of few images in many dimensions are singular, and single precision then turns
//! Mahalanobis scores into noise; so everything is decomposed in double precision, except the
//! leading axes of more than 512 dimensions with at least as many images: their directions in
//! single precision are exact to 1e-5 and found several times faster, and the variances along
//! them are taken in double precision.
//!
//! Symmetric matrices have their lower triangle filled only.

mod class_shapes;
mod eigen;
mod pca;
mod precision;
mod pseudo_inverse;
mod spread;
mod stats;
mod within;

pub(crate) use class_shapes::{ClassShape, PooledAxes};
pub(crate) use eigen::{Eigen, eigen, eigen_single};
pub(crate) use pca::{Keep, Pca};
pub(crate) use precision::{Distances, Precision, dot64};
pub(crate) use pseudo_inverse::virtual_origin;
pub(crate) use stats::{
    add_scatter, centred, class_means, column_means, gram, product, row_means, scatter,
    scatter_about, squared_norm,
};
pub(crate) use within::WithinClass;
