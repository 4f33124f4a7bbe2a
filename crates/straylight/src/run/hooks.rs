use std::path::{Path, PathBuf};
use std::time::Duration;

use straylight_core::ContentHash;
use straylight_deploy::Deployment;
use straylight_hooks::config::{ConfigError, HookConfig};
use straylight_hooks::{
    HookError, HookSet, HookSetOptions, LimitTimes, PostInferenceHook, SourceKind,
};

use crate::hookfile::context;

/// The hooks of a run cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HookRunError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A hook cannot run as it is configured.
    #[error(transparent)]
    Hook(#[from] HookError),
}

/// How the hooks of a run work.
#[derive(Debug, Clone, Default)]
pub struct HookRunOptions {
    /// Folder of queues on disk; without one all queues are in memory.
    pub state: Option<PathBuf>,
    /// By which time limits count.
    pub times: LimitTimes,
    /// Where the images come from, which decides what a full queue does.
    pub source: SourceKind,
    /// How long an image may wait for room in a full queue without any progress there, before
    /// it is given up; `None` for ever.
    pub stall: Option<Duration>,
}

/// Sets hooks up for a run of a deployment, with its OOD model.
///
/// End them with [`HookSet::finish`]; one that is only dropped delivers nothing more.
pub fn hook_set(
    deployment: &Deployment,
    hooks: &[HookConfig],
    options: HookRunOptions,
) -> Result<HookSet, HookRunError> {
    let set = HookSet::new(HookSetOptions {
        state_folder: options.state,
        limit_times: options.times,
        source: options.source,
        stall: options.stall,
        drain_time: Duration::ZERO,
        ..HookSetOptions::default()
    });
    for hook in build_hooks(deployment, hooks)? {
        set.add(hook)?;
    }
    Ok(set)
}

/// Makes hooks for a deployment, with its OOD model.
///
/// # Errors
///
/// [`HookRunError`] when one cannot be made, or needs what the deployment does not give.
pub fn build_hooks(
    deployment: &Deployment,
    hooks: &[HookConfig],
) -> Result<Vec<PostInferenceHook>, HookRunError> {
    let context = context(deployment.ood_model());
    let build = |hook: &HookConfig| {
        let hook = hook.build(&context)?;
        deployment.check_hook(&hook)?;
        Ok(hook)
    };
    hooks.iter().map(build).collect()
}

/// The folder of queues for a live source that was given none: one for each deployment and
/// source below the user's folder for the state of programs, the same each time.
///
/// That is `$XDG_STATE_HOME/straylight/queues`, else `~/.local/state/straylight/queues`; on
/// Windows `%LOCALAPPDATA%\straylight\queues`. `None` if the machine has no such folder.
pub fn default_state_folder(deployment: &Path, source: &str) -> Option<PathBuf> {
    let root = state_home()?;
    let deployment = std::fs::canonicalize(deployment).unwrap_or_else(|_| deployment.to_owned());
    let name = deployment.file_name().unwrap_or_default().display();
    let folder = format!("{name}-{}", digits(&deployment.display().to_string()));
    let source = digits(&without_user(source));
    Some(root.join("straylight/queues").join(folder).join(source))
}

/// The folder below a folder of queues in which those of one of several sources are: its name, with
/// a hash where that cannot be the name of a folder.
pub fn source_folder(name: &str) -> String {
    const LONGEST: usize = 60;
    // Some systems take `Gate` and `gate` for one.
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    if name.chars().all(fits) && name.len() <= LONGEST {
        return name.to_owned();
    }
    let name_of_all = name.chars().flat_map(char::to_lowercase);
    let clean = name_of_all.map(|c| if fits(c) { c } else { '-' });
    format!(
        "{}-{}",
        clean.take(LONGEST).collect::<String>(),
        digits(name)
    )
}

/// An address without user name and password: the hash of a short password gives it away, and the
/// queue of a camera should be found again when its password was changed.
fn without_user(source: &str) -> String {
    match source.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.rsplit('@').next().unwrap_or(rest);
            format!("{scheme}://{host}")
        }
        None => source.to_owned(),
    }
}

/// The user's folder for the state of programs; `None` if the machine has no such folder.
pub(super) fn state_home() -> Option<PathBuf> {
    state_home_by(|name| std::env::var_os(name).filter(|value| !value.is_empty()))
}

fn state_home_by(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> Option<PathBuf> {
    let absolute = |name| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("LOCALAPPDATA"))
        .or_else(|| Some(absolute("HOME")?.join(".local/state")))
}

fn digits(text: &str) -> String {
    let hash = ContentHash::of(text.as_bytes()).to_hex();
    hash.get(..12).unwrap_or(&hash).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_has_one_folder_whatever_its_password() {
        let folder = |source| default_state_folder(Path::new("no such deployment"), source);
        let camera = folder("rtsp://admin:one@camera/1?channel=1");
        assert_eq!(camera, folder("rtsp://admin:t/w#@o@camera/1?channel=1"));
        assert_ne!(camera, folder("rtsp://admin:one@camera/1?channel=2"));
        assert_ne!(folder("/dev/video0"), folder("/dev/video1"));
    }

    #[test]
    fn each_source_has_a_folder_of_its_own() {
        assert_eq!(source_folder("gate-1"), "gate-1");
        let odd = [
            "Gate-1",
            "10.0.0.5/live/1",
            "10.0.0.5-live-1.",
            "..",
            "nul",
            "",
        ];
        let mut folders: Vec<String> = odd.iter().map(|name| source_folder(name)).collect();
        folders.push(source_folder("gate-1"));
        assert!(folders.iter().all(|folder| !folder.contains(['/', '.'])));
        folders.sort_unstable();
        folders.dedup();
        assert_eq!(folders.len(), odd.len() + 1);
    }

    #[test]
    fn the_state_folder_is_where_the_system_wants_it() {
        let set = |pairs: &'static [(&str, &str)]| {
            move |name: &str| {
                let found = pairs.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| std::ffi::OsString::from(value))
            }
        };
        let home = state_home_by(set(&[("HOME", "/home/a")]));
        assert_eq!(home, Some("/home/a/.local/state".into()));
        let chosen = state_home_by(set(&[("HOME", "/home/a"), ("XDG_STATE_HOME", "/state")]));
        assert_eq!(chosen, Some("/state".into()));
        let relative = state_home_by(set(&[("HOME", "/home/a"), ("XDG_STATE_HOME", "state")]));
        assert_eq!(relative, home);
        assert_eq!(state_home_by(|_| None), None);
    }
}
