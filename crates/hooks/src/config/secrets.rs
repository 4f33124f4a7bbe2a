//! Secrets in configurations: references are kept, clear text is moved out.
//!
//! The Python SDK writes tokens, passwords and headers in clear text. Whoever reads such a file
//! with [`load_hooks`] has them put into a [`SecretVault`]; the hooks then hold references, and
//! the file is written anew without the secrets. [`render_hooks`](super::render_hooks) refuses
//! to write a secret in clear text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use straylight_core::{hide_secrets, holds_user};
use straylight_files::{FileError, create_folder};
use straylight_geti::{Secret, SecretRef};

use super::{ActionConfig, ConfigError, HookConfig, SessionConfig, parse_hooks, render_hooks};

/// Keeps secrets that were found where they should not be.
pub trait SecretVault {
    /// Keeps a secret under a name (letters, digits and `-`) and says how it is found again.
    fn keep(&self, name: &str, secret: &Secret) -> Result<SecretRef, ConfigError>;
}

/// A folder with a file for each secret, readable by this user alone.
#[derive(Debug, Clone)]
pub struct FolderVault(pub PathBuf);

impl SecretVault for FolderVault {
    fn keep(&self, name: &str, secret: &Secret) -> Result<SecretRef, ConfigError> {
        create_folder(&self.0)?;
        let path = std::path::absolute(self.0.join(name))
            .map_err(|source| FileError::new("find", &self.0, source))?;
        write_private(&path, secret.expose().as_bytes())
            .map_err(|source| FileError::new("write", &path, source))?;
        Ok(SecretRef::File(path))
    }
}

/// Written beside its place by a file that is private from its birth, and renamed.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A secret that was moved out of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedSecret {
    /// What it is ("token of geti.example.org").
    pub what: String,
    /// Where it is now.
    pub reference: SecretRef,
}

/// Reads a `hook_config.json` and moves secrets out of it, with a warning for each.
///
/// If there were any, the file is written anew, and the hooks hold references.
pub fn load_hooks(
    path: &Path,
    vault: &dyn SecretVault,
) -> Result<(Vec<HookConfig>, Vec<MovedSecret>), ConfigError> {
    let text = straylight_files::read_to_string(path)?;
    let mut hooks = parse_hooks(&text, path)?;
    let moved = move_secrets_out(&mut hooks, vault)?;
    if !moved.is_empty() {
        for secret in &moved {
            let (what, now) = (&secret.what, &secret.reference);
            tracing::warn!(file = %path.display(), "{what} was in clear text; it is now {now}");
        }
        straylight_files::write_atomically(path, render_hooks(&hooks)?.as_bytes())?;
    }
    Ok((hooks, moved))
}

/// Replaces the secrets in configurations by references.
pub fn move_secrets_out(
    hooks: &mut [HookConfig],
    vault: &dyn SecretVault,
) -> Result<Vec<MovedSecret>, ConfigError> {
    let mut moved = Vec::new();
    for (index, hook) in hooks.iter_mut().enumerate() {
        for (what, slot) in secrets_of(&mut hook.action) {
            if is_reference(slot) {
                continue;
            }
            let name = format!("hook-{index}-{}", name_of(&what));
            let reference = vault.keep(&name, &Secret::new(&*slot))?;
            *slot = reference.to_string();
            moved.push(MovedSecret { what, reference });
        }
    }
    Ok(moved)
}

/// Says which secrets are in clear text ("token of geti.example.org").
pub fn secrets_in_clear_text(hooks: &[HookConfig]) -> Vec<String> {
    let mut found = Vec::new();
    for hook in hooks {
        let mut action = hook.action.clone();
        found.extend(user_in_address(&action));
        let slots = secrets_of(&mut action).into_iter();
        found.extend(
            slots
                .filter(|(_, slot)| !is_reference(slot))
                .map(|(what, _)| what),
        );
    }
    found
}

/// Says which secret is in clear text, if one is.
pub(super) fn check_no_clear_text(hooks: &[HookConfig]) -> Result<(), ConfigError> {
    match secrets_in_clear_text(hooks).into_iter().next() {
        Some(what) => Err(ConfigError::ClearText { what }),
        None => Ok(()),
    }
}

/// A place that holds a secret, and what it is.
type Slot<'a> = (String, &'a mut String);

/// All places of an action that hold a secret.
fn secrets_of(action: &mut ActionConfig) -> Vec<Slot<'_>> {
    match action {
        ActionConfig::GetiDataCollection(config) => of_session(&mut config.session),
        ActionConfig::HttpRequestAction(config) => of_headers(&mut config.headers),
        ActionConfig::S3Collection(config) => {
            let owner = format!("bucket {}", config.bucket);
            let keys = [
                ("secret access key", &mut config.secret_access_key),
                ("session token", &mut config.session_token),
            ];
            named(&owner, keys)
        }
        ActionConfig::MqttPublish(config) => {
            named(&config.host, [("password", &mut config.password)])
        }
        ActionConfig::FileSystemDataCollection(_) | ActionConfig::LocalDatasetCollection(_) => {
            Vec::new()
        }
    }
}

fn named<'a, const N: usize>(
    owner: &str,
    slots: [(&str, &'a mut Option<String>); N],
) -> Vec<Slot<'a>> {
    let found = slots
        .into_iter()
        .filter_map(|(what, slot)| Some((format!("{what} of {owner}"), slot.as_mut()?)));
    found.collect()
}

fn of_session(session: &mut SessionConfig) -> Vec<Slot<'_>> {
    let keys = [
        ("token", &mut session.token),
        ("password", &mut session.password),
    ];
    let mut secrets = named(&session.host, keys);
    // The address of a proxy is a secret if it holds a password.
    let proxies = session.proxies.iter_mut().flatten();
    let secret = proxies.filter(|(_, address)| address.contains('@') || is_reference(address));
    secrets.extend(secret.map(|(scheme, slot)| (format!("{scheme} proxy"), slot)));
    secrets
}

/// What is secret in the address that an action sends to: a user name or password.
fn user_in_address(action: &ActionConfig) -> Option<String> {
    let address = match action {
        ActionConfig::GetiDataCollection(config) => &config.session.host,
        ActionConfig::HttpRequestAction(config) => &config.url,
        ActionConfig::S3Collection(config) => config.endpoint.as_ref()?,
        _ => return None,
    };
    let shown = hide_secrets(address);
    holds_user(address).then(|| format!("the user name or password in {shown}"))
}

fn is_reference(text: &str) -> bool {
    text.parse::<SecretRef>().is_ok()
}

/// Words in the names of headers whose values are secret.
const SECRET_HEADERS: [&str; 7] = [
    "auth",
    "cookie",
    "token",
    "secret",
    "key",
    "password",
    "signature",
];

fn of_headers(headers: &mut BTreeMap<String, String>) -> Vec<Slot<'_>> {
    let is_secret = |name: &str| {
        let name = name.to_lowercase();
        SECRET_HEADERS.iter().any(|part| name.contains(part))
    };
    let secret = headers.iter_mut().filter(|(name, _)| is_secret(name));
    secret
        .map(|(name, slot)| (format!("header {name}"), slot))
        .collect()
}

/// The words of a description as the name of a file.
fn name_of(what: &str) -> String {
    let words = what
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    words.take(8).collect::<Vec<_>>().join("-").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SDK_FILE: &str = r#"{"post_inference_hooks":[
      {"PostInferenceHook":{"trigger":{"AlwaysTrigger":{}},"action":{"GetiDataCollection":{
        "session":{"host":"https://geti","has_valid_certificate":true,"proxies":null,"token":"swordfish"},
        "workspace_id":"w","project":"p","dataset":"d","log_level":"debug"}}}},
      {"PostInferenceHook":{"trigger":{"AlwaysTrigger":{}},"action":{"HttpRequestAction":{
        "url":"http://h","method":"GET","headers":{"Authorization":"swordfish","Accept":"*/*"},
        "include_prediction_data":false,"log_level":"info"}}}}]}"#;

    #[test]
    fn secrets_of_an_old_file_are_moved_out_and_the_file_is_clean() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hook_config.json");
        let proxies = r#""proxies":{"https":"http://me:swordfish@proxy:3128"}"#;
        std::fs::write(&path, SDK_FILE.replace("\"proxies\":null", proxies)).unwrap();
        let vault = FolderVault(folder.path().join("secrets"));
        let (hooks, moved) = load_hooks(&path, &vault).unwrap();
        assert_eq!(moved.len(), 3);
        for secret in &moved {
            let kept = secret.reference.resolve().unwrap();
            assert!(kept.expose().contains("swordfish"));
        }
        let clean = std::fs::read_to_string(&path).unwrap();
        assert!(
            !clean.contains("swordfish") && clean.contains("*/*"),
            "{clean}"
        );
        assert!(!format!("{hooks:?}").contains("swordfish"));
        let (again, moved) = load_hooks(&path, &vault).unwrap();
        assert_eq!((again, moved.len()), (hooks, 0));
    }

    #[cfg(unix)]
    #[test]
    fn a_kept_secret_is_for_this_user_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let reference = FolderVault(folder.path().into())
            .keep("t", &Secret::new("x"))
            .unwrap();
        let SecretRef::File(path) = reference else {
            panic!("a file")
        };
        assert_eq!(
            std::fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_secret_in_clear_text_is_not_written() {
        let hooks = parse_hooks(SDK_FILE, Path::new("x")).unwrap();
        let error = render_hooks(&hooks).unwrap_err().to_string();
        assert!(
            error.contains("env:NAME") && !error.contains("swordfish"),
            "{error}"
        );
    }

    #[test]
    fn a_password_in_an_address_is_not_written() {
        for password in [
            "swordfish",
            "sword/fish",
            "sword?fish",
            "sword#fish",
            "sword@fish",
        ] {
            let url = format!("http://me:{password}@h/");
            let text = SDK_FILE
                .replace("swordfish", "env:TOKEN")
                .replace("http://h", &url);
            let hooks = parse_hooks(&text, Path::new("x")).unwrap();
            let error = render_hooks(&hooks).unwrap_err().to_string();
            assert!(
                error.contains("http://***@h/") && !error.contains("fish"),
                "{error}"
            );
        }
    }

    #[test]
    fn hooks_that_need_a_secret_stay_out_of_the_part_of_the_sdk() {
        let text = SDK_FILE.replace("swordfish", "env:TOKEN");
        let hooks = parse_hooks(&text, Path::new("x")).unwrap();
        let written: serde_json::Value =
            serde_json::from_str(&render_hooks(&hooks).unwrap()).unwrap();
        assert_eq!(written["post_inference_hooks"], serde_json::json!([]));
        assert_eq!(written["straylight"]["hooks"].as_array().unwrap().len(), 2);
    }
}
