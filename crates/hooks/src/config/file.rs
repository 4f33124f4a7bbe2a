//! The file `hook_config.json` of a deployment.
//!
//! ```text
//! { "post_inference_hooks": [ {"PostInferenceHook": {...}}, ... ],
//!   "straylight": { "version": 1, "hooks": [ {...}, ... ] } }
//! ```
//!
//! `post_inference_hooks` is the Python SDK's part. It reads nothing else, fails on a class that
//! it does not know, and contacts the server of a `GetiDataCollection` while it loads. So this
//! part holds only hooks that the SDK can build from the file alone. `straylight` holds all
//! hooks with all settings and counts when it is there; the other part must agree with it, so
//! that an edit in the wrong place is an error and not a surprise. A file of the SDK has no
//! `straylight` part; its hooks are taken from `post_inference_hooks`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::sdk::SdkHook;
use super::secrets::check_no_clear_text;
use super::{ConfigError, HookConfig};

/// The version of the `straylight` part that this program writes, and the newest that it reads.
pub const HOOK_CONFIG_VERSION: u32 = 1;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    #[serde(default)]
    post_inference_hooks: Vec<SdkHook>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    straylight: Option<Ours>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Ours {
    version: u32,
    hooks: Vec<HookConfig>,
}

/// Just enough to tell the version of a file that may be newer than this program.
#[derive(Deserialize)]
struct Glance {
    straylight: Option<Version>,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// Reads the hooks in a `hook_config.json`; `path` names the file in errors.
pub fn parse_hooks(text: &str, path: &Path) -> Result<Vec<HookConfig>, ConfigError> {
    check_version(text, path)?;
    let whole: Whole =
        serde_json::from_str(text).map_err(|source| ConfigError::syntax(path, &source))?;
    let Some(ours) = whole.straylight else {
        return Ok(whole
            .post_inference_hooks
            .into_iter()
            .map(SdkHook::into_config)
            .collect());
    };
    let known: Vec<SdkHook> = ours.hooks.iter().filter_map(SdkHook::of).collect();
    if whole.post_inference_hooks != known {
        return Err(ConfigError::Disagree {
            path: path.to_owned(),
        });
    }
    Ok(ours.hooks)
}

fn check_version(text: &str, path: &Path) -> Result<(), ConfigError> {
    // A text that is not even JSON is reported by the reading proper.
    let glance: Option<Glance> = serde_json::from_str(text).ok();
    match glance
        .and_then(|glance| glance.straylight)
        .map(|ours| ours.version)
    {
        Some(found) if found == 0 || found > HOOK_CONFIG_VERSION => Err(ConfigError::Version {
            path: path.to_owned(),
            found,
        }),
        _ => Ok(()),
    }
}

/// The text of a `hook_config.json`; the same hooks give the same bytes.
pub fn render_hooks(hooks: &[HookConfig]) -> Result<String, ConfigError> {
    check_no_clear_text(hooks)?;
    let whole = Whole {
        post_inference_hooks: hooks.iter().filter_map(SdkHook::of).collect(),
        straylight: Some(Ours {
            version: HOOK_CONFIG_VERSION,
            hooks: hooks.to_vec(),
        }),
    };
    let text = serde_json::to_string_pretty(&whole).map_err(ConfigError::Write)?;
    Ok(text + "\n")
}
