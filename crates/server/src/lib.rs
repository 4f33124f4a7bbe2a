//! The local server: the Geti REST API over the local store, inference over the KServe V2
//! protocol, and a page to look at what the hooks collected.
//!
//! # Design
//!
//! - `server` listens, encrypts and stops; `router` puts the routes together; `api` holds one
//!   file a family of endpoints, `web` the pages, `kserve` the inference protocol.
//! - `connection` takes connections, has them move, and closes those that only hold a place:
//!   strangers cannot keep out who has a token.
//! - Every route passes `auth::gate`: a token in `x-api-key` or `Authorization: Bearer`, or the
//!   cookie of a browser session, with a role that `auth::routes` asks for; whatever changes
//!   something must carry `x-geti-csrf-protection`, which no foreign site can add. A route that
//!   the table of roles does not know is closed to everybody.
//! - Handlers do not block: files and the database are used on threads that may wait, decoding
//!   and inference on as many as there are cores. Bodies grow in a little memory, then on the
//!   disk, and come into memory as a whole within a budget.
//! - Answers are the wire types of `straylight-geti`. Nothing that a user names becomes a path:
//!   files are found by content hash or by identifiers that the server made.
//! - The list of endpoints in `api::endpoints` makes both the routes and the
//!   `OpenAPI` description at `/docs`, so that neither can lack what the other has.
//!
//! The server runs models through [`Predictor`], which the engine's side implements.

mod access_log;
mod api;
mod app;
mod auth;
mod config;
mod connection;
mod error;
mod ffmpeg;
mod health;
mod hosts;
mod import;
mod jobs;
mod kserve;
mod metrics;
mod metrics_endpoint;
mod models;
mod network;
mod openapi;
mod pack;
mod package;
mod predictor;
mod router;
mod server;
mod tls;
mod web;

pub use access_log::{Access, AccessLog};
pub use auth::{NewToken, Route, create_login_code, create_token, create_token_for, routes};
pub use config::{Limits, SdkGeneration, ServerConfig, Tls, VideoTools};
pub use error::ServerError;
pub use import::{ImportError, OwnModel, import_deployment, import_own_model};
pub use metrics_endpoint::MetricsEndpoint;
pub use network::Network;
pub use predictor::{HookStatus, PredictError, Predicted, Predictor, PredictorLoader};
pub use server::{Server, Stop};
