//! The local server: the Geti REST API over the local store, inference over the KServe V2
//! protocol, and a page to look at what the hooks collected.
//!
//! # Design
//!
//! - `server` listens, encrypts and stops; `router` puts the routes together; `api` holds one
//!   file a family of endpoints, `web` the pages, `kserve` the inference protocol.
//! - Every route but health and login passes `auth::gate`: a token in `x-api-key` or
//!   `Authorization: Bearer`, or the cookie of a browser session; whatever changes something
//!   must carry `x-geti-csrf-protection`, which no foreign site can add.
//! - Handlers do not block: files and the database are used on threads that may wait, decoding
//!   and inference on as many as there are cores, uploads within a budget of memory.
//! - Answers are the wire types of `straylight-geti`. Nothing that a user names becomes a path:
//!   files are found by content hash or by identifiers that the server made.
//! - The list of endpoints in `api::endpoints` makes both the routes and the
//!   `OpenAPI` description at `/docs`, so that neither can lack what the other has.
//!
//! The server runs models through [`Predictor`], which the engine's side implements.

mod api;
mod app;
mod auth;
mod config;
mod error;
mod ffmpeg;
mod health;
mod import;
mod jobs;
mod kserve;
mod linger;
mod metrics;
mod models;
mod openapi;
mod package;
mod predictor;
mod router;
mod server;
mod tls;
mod unpack;
mod web;

pub use auth::{NewToken, create_token};
pub use config::{Limits, SdkGeneration, ServerConfig, Tls, VideoTools};
pub use error::ServerError;
pub use import::{ImportError, import_deployment};
pub use predictor::{HookStatus, Outcome, PredictError, Predictor, PredictorLoader};
pub use server::{Server, Stop};
