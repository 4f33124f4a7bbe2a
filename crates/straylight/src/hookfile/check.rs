use std::path::Path;
use std::sync::Arc;

use straylight_hooks::config::{
    ActionConfig, ConfigError, HookConfig, TriggerConfig, render_hooks,
};
use straylight_hooks::{HookSet, HookSetOptions, Overflow};
use straylight_ood::OodModel;
use straylight_store::Store;

use super::context;

/// What keeps hooks from working.
pub(super) fn problems(
    hooks: &[HookConfig],
    names: &[String],
    model: Option<Arc<OodModel>>,
    labels: &[String],
) -> Vec<String> {
    let mut found = Vec::new();
    if let Err(error) = render_hooks(hooks) {
        found.push(error.to_string());
    }
    let context = context(model);
    let set = HookSet::new(HookSetOptions::default());
    for (hook, name) in hooks.iter().zip(names) {
        // In memory: the queue on disk may be at work in another process.
        let tried = HookConfig {
            when_full: Overflow::Auto,
            queue: None,
            ..hook.clone()
        };
        let built = match tried.build(&context) {
            Ok(built) => built,
            Err(error) => {
                found.push(format!("hook `{name}`: {error}"));
                continue;
            }
        };
        found.extend(set.add(built).err().map(|error| error.to_string()));
        found.extend(unknown_labels(&hook.trigger, labels).map(|label| {
            format!("hook `{name}`: the deployment has no label `{label}`; it never fires on it")
        }));
        found.extend(unresolved(hook).map(|error| format!("hook `{name}`: {error}")));
        found
            .extend(unreachable_place(&hook.action).map(|error| format!("hook `{name}`: {error}")));
    }
    found
}

/// Hooks that lose images when their queue is full, as somebody chose once.
pub(super) fn losses(hooks: &[HookConfig], names: &[String]) -> Vec<String> {
    let lost = |hook: &HookConfig| {
        let overflow = hook.queue.map_or(hook.when_full, |queue| queue.overflow);
        match overflow {
            Overflow::DropOldest => Some("oldest"),
            Overflow::DropNewest => Some("newest"),
            _ => None,
        }
    };
    let hooks = hooks.iter().zip(names);
    let hooks = hooks.filter_map(|(hook, name)| Some((lost(hook)?, name)));
    let said = hooks.map(|(which, name)| {
        format!(
            "hook `{name}` loses the {which} image when its queue is full; without that policy \
             files and videos wait, and the images of a camera or stream wait on disk"
        )
    });
    said.collect()
}

/// What is wrong with a new hook and will not come right by itself.
pub(super) fn mistakes(
    hook: &HookConfig,
    model: Option<Arc<OodModel>>,
    labels: &[String],
) -> Vec<String> {
    let tried = HookConfig {
        queue: None,
        ..hook.clone()
    };
    let built = tried.build(&context(model)).err();
    let built = built.filter(|error| !matches!(error, ConfigError::Unmet { .. }));
    let mut found: Vec<String> = built.map(|error| error.to_string()).into_iter().collect();
    let there = labels.join(", ");
    let unknown = unknown_labels(&hook.trigger, labels);
    found.extend(
        unknown.map(|label| format!("the deployment has no label `{label}`; it has: {there}")),
    );
    found
}

/// Labels that a trigger looks for and the deployment does not have.
fn unknown_labels<'a>(
    trigger: &'a TriggerConfig,
    labels: &'a [String],
) -> Box<dyn Iterator<Item = &'a String> + 'a> {
    if labels.is_empty() {
        return Box::new(std::iter::empty());
    }
    let named = match trigger {
        TriggerConfig::LabelTrigger(config) => Some(&config.label_names),
        TriggerConfig::ConfidenceTrigger(config) => config.label_names.as_ref(),
        TriggerConfig::ObjectCountTrigger(config) => config.label_names.as_ref(),
        TriggerConfig::AndTrigger(list) | TriggerConfig::OrTrigger(list) => {
            return Box::new(
                list.triggers
                    .iter()
                    .flat_map(|inner| unknown_labels(inner, labels)),
            );
        }
        TriggerConfig::NotTrigger(config) => return unknown_labels(&config.trigger, labels),
        _ => None,
    };
    Box::new(
        named
            .into_iter()
            .flatten()
            .filter(|name| !labels.contains(name)),
    )
}

/// What is wrong with the place on this machine to which images would go; a server is not asked.
fn unreachable_place(action: &ActionConfig) -> Option<String> {
    match action {
        ActionConfig::FileSystemDataCollection(config) => unwritable(&config.target_folder),
        ActionConfig::LocalDatasetCollection(config) => {
            missing_project(config.store_folder.as_deref()?, &config.project)
        }
        _ => None,
    }
}

/// Why nothing can be written into a folder, which need not be there yet.
fn unwritable(folder: &Path) -> Option<String> {
    let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let there = folder.ancestors().find(|path| path.exists())?;
    let error = tempfile::tempfile_in(there).err()?;
    Some(format!(
        "nothing can be written into {}: {}: {error}",
        folder.display(),
        there.display()
    ))
}

fn missing_project(store: &Path, project: &str) -> Option<String> {
    if !Store::exists(store) {
        return Some(format!(
            "there is no store in {}; `straylight project create` makes one",
            store.display()
        ));
    }
    let opened = match Store::open(store) {
        Ok(opened) => opened,
        Err(error) => return Some(error.to_string()),
    };
    match opened.projects_named(project) {
        Ok(found) if found.is_empty() && opened.project(project).is_err() => Some(format!(
            "the store in {} has no project `{project}`; `straylight project create` makes one",
            store.display()
        )),
        Ok(found) if found.len() > 1 => Some(format!(
            "{} projects of the store in {} are named `{project}`: give the project's id",
            found.len(),
            store.display()
        )),
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    }
}

/// A secret that an action refers to and that is not there.
fn unresolved(hook: &HookConfig) -> impl Iterator<Item = String> {
    let references: Vec<String> = match &hook.action {
        ActionConfig::GetiDataCollection(config) => config.session.token.iter().cloned().collect(),
        ActionConfig::HttpRequestAction(config) => config.headers.values().cloned().collect(),
        _ => Vec::new(),
    };
    references.into_iter().filter_map(|text| {
        let reference: straylight_geti::SecretRef = text.parse().ok()?;
        reference.resolve().err().map(|error| error.to_string())
    })
}
