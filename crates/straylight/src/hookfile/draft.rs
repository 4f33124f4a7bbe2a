use std::path::PathBuf;

use serde_json::{Value, json};
use straylight_geti::{Certificates, ServerDetails};
use straylight_hooks::action::PictureFormat;
use straylight_hooks::config::{
    ActionConfig, AlwaysTriggerConfig, BreakerConfig, ConfidenceTriggerConfig, ConfigError,
    EmptyLabelTriggerConfig, HookConfig, LabelTriggerConfig, ObjectCountTriggerConfig,
    OodTriggerConfig, RetryConfig, SampleTriggerConfig, TriggerConfig,
};
use straylight_hooks::{KeyPolicy, LimitOptions, Overflow};

use super::Limit;

/// The triggers by the names that users write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TriggerKind {
    /// Every image.
    Always,
    /// A probability below a threshold.
    Confidence,
    /// Nothing found.
    Empty,
    /// Certain labels.
    Label,
    /// The number of objects.
    Count,
    /// Out of distribution.
    Ood,
    /// A random share of all images.
    Sample,
}

/// A hook as a user describes it; built into a configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct HookDraft {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its trigger.
    pub trigger: TriggerKind,
    /// Threshold of the trigger; the trigger's own default if `None`.
    pub threshold: Option<f64>,
    /// Share of in-distribution images that may be called strange (OOD only).
    pub false_alarm_rate: Option<f64>,
    /// Share of all images, `0..=1` (sample only).
    pub rate: Option<f64>,
    /// Labels that count; all if empty.
    pub labels: Vec<String>,
    /// `greater`, `lower`, `equal` for counts; `OR`, `AND` for labels.
    pub mode: Option<String>,
    /// Where images go.
    pub action: ActionDraft,
    /// What holds images back.
    pub limits: Vec<Limit>,
    /// Threads that deliver.
    pub max_threads: usize,
    /// What happens when the queue is full.
    pub when_full: Overflow,
    /// Most images that wait or are being delivered; the default of the queue if `None`.
    pub queue_size: Option<usize>,
}

/// Where a hook's images go.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ActionDraft {
    /// Files in a folder.
    Folder(PathBuf),
    /// A dataset of the local store: folder of the store, project, dataset.
    Store(PathBuf, String, String),
    /// A dataset of a Geti server: server, reference to the token, project, dataset.
    Geti(ServerDetails, String, String, String),
    /// A request to a URL, with the prediction.
    Http(String),
}

/// Why settings do not make a hook.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DraftError {
    /// A setting that the trigger does not have.
    #[error("the trigger has no {0}; `straylight hooks add --help` lists what each has")]
    NotForTrigger(&'static str),
    /// A trigger that needs labels.
    #[error("a label trigger needs --labels")]
    NoLabels,
    /// A trigger that needs a rate.
    #[error("a sample trigger needs --rate, the share of all images: 0.5% or 0.005")]
    NoRate,
    /// A mode that is not known.
    #[error(
        "`{0}` is not a mode: a count compares greater, lower or equal, labels are joined by OR or AND"
    )]
    Mode(String),
    /// A threshold that cannot be a number of objects.
    #[error("{0} cannot be a number of objects: write a whole number, 0 or greater")]
    Count(f64),
    /// A setting out of its range.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl HookDraft {
    /// The configuration of the hook.
    pub fn build(&self) -> Result<HookConfig, DraftError> {
        let mut limits = LimitOptions::default();
        for limit in &self.limits {
            limit.apply(&mut limits);
        }
        Ok(HookConfig {
            name: self.name.clone(),
            trigger: self.trigger()?,
            action: self.action.config()?,
            max_threads: self.max_threads,
            limits,
            when_full: self.when_full,
            queue_size: self.queue_size,
            queue: None,
            retry: RetryConfig::default(),
            breaker: BreakerConfig::default(),
            key_policy: KeyPolicy::default(),
        })
    }

    fn trigger(&self) -> Result<TriggerConfig, DraftError> {
        self.refuse_superfluous()?;
        let labels = (!self.labels.is_empty()).then(|| self.labels.clone());
        let half = |given: Option<f64>| given.unwrap_or(0.5);
        Ok(match self.trigger {
            TriggerKind::Always => TriggerConfig::AlwaysTrigger(AlwaysTriggerConfig {}),
            TriggerKind::Empty => TriggerConfig::EmptyLabelTrigger(EmptyLabelTriggerConfig {}),
            TriggerKind::Confidence => TriggerConfig::ConfidenceTrigger(ConfidenceTriggerConfig {
                threshold: half(self.threshold),
                label_names: labels,
            }),
            TriggerKind::Label => TriggerConfig::LabelTrigger(LabelTriggerConfig {
                label_names: labels.ok_or(DraftError::NoLabels)?,
                mode: self.parsed_mode(str::to_uppercase)?,
            }),
            TriggerKind::Count => TriggerConfig::ObjectCountTrigger(ObjectCountTriggerConfig {
                threshold: whole(self.threshold.unwrap_or(1.0))?,
                label_names: labels,
                mode: self.parsed_mode(str::to_lowercase)?,
            }),
            TriggerKind::Ood => TriggerConfig::OodTrigger(OodTriggerConfig {
                threshold: self.threshold,
                false_alarm_rate: self.false_alarm_rate,
                ood_model: None,
            }),
            TriggerKind::Sample => TriggerConfig::SampleTrigger(SampleTriggerConfig {
                rate: self.rate.ok_or(DraftError::NoRate)?,
                seed: 0,
            }),
        })
    }

    fn refuse_superfluous(&self) -> Result<(), DraftError> {
        use TriggerKind::{Always, Confidence, Count, Empty, Label, Ood, Sample};
        let kind = self.trigger;
        let refused = [
            (
                self.threshold.is_some() && matches!(kind, Always | Empty | Label | Sample),
                "threshold",
            ),
            (
                self.false_alarm_rate.is_some() && kind != Ood,
                "false alarm rate",
            ),
            (self.rate.is_some() && kind != Sample, "rate"),
            (
                !self.labels.is_empty() && !matches!(kind, Confidence | Label | Count),
                "labels",
            ),
            (
                self.mode.is_some() && !matches!(kind, Label | Count),
                "mode",
            ),
        ];
        match refused.into_iter().find(|(is_refused, _)| *is_refused) {
            Some((_, what)) => Err(DraftError::NotForTrigger(what)),
            None => Ok(()),
        }
    }

    /// The mode in the words of the configuration file.
    fn parsed_mode<T>(&self, written: impl Fn(&str) -> String) -> Result<T, DraftError>
    where
        T: serde::de::DeserializeOwned + Default,
    {
        let Some(mode) = &self.mode else {
            return Ok(T::default());
        };
        serde_json::from_value(Value::String(written(mode)))
            .map_err(|_| DraftError::Mode(mode.clone()))
    }
}

fn whole(count: f64) -> Result<u32, DraftError> {
    if count.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&count) {
        return Ok(count as u32);
    }
    Err(DraftError::Count(count))
}

impl ActionDraft {
    /// Made of JSON as a file is: what is not said here has the default of the file.
    fn config(&self) -> Result<ActionConfig, DraftError> {
        let config = match self {
            Self::Folder(folder) => json!({ "FileSystemDataCollection": {
                "target_folder": folder,
                "picture_format": PictureFormat::Original,
            }}),
            Self::Store(store, project, dataset) => json!({ "LocalDatasetCollection": {
                "store_folder": store,
                "project": project,
                "dataset": dataset,
            }}),
            Self::Geti(server, token, project, dataset) => json!({ "GetiDataCollection": {
                "session": session(server, token),
                "workspace_id": server.workspace_id.clone().unwrap_or_default(),
                "project": project,
                "dataset": dataset,
            }}),
            Self::Http(url) => json!({ "HttpRequestAction": {
                "url": url,
                "method": "POST",
                "include_prediction_data": true,
            }}),
        };
        let read = serde_json::from_value(config);
        read.map_err(|error| DraftError::Config(ConfigError::Write(error)))
    }
}

fn session(server: &ServerDetails, token: &str) -> Value {
    let mut session = json!({
        "host": server.host,
        "has_valid_certificate": server.certificates != Certificates::Unchecked,
        "token": token,
    });
    if let Certificates::SignedBy(path) = &server.certificates {
        session["ca_file"] = json!(path);
    }
    session
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(trigger: TriggerKind) -> HookDraft {
        HookDraft {
            name: None,
            trigger,
            threshold: None,
            false_alarm_rate: None,
            rate: None,
            labels: Vec::new(),
            mode: None,
            action: ActionDraft::Folder("out".into()),
            limits: Vec::new(),
            max_threads: 5,
            when_full: Overflow::Auto,
            queue_size: None,
        }
    }

    #[test]
    fn what_a_trigger_does_not_have_is_refused() {
        let wrong = [
            HookDraft {
                threshold: Some(1.0),
                ..draft(TriggerKind::Always)
            },
            HookDraft {
                labels: vec!["a".into()],
                ..draft(TriggerKind::Ood)
            },
            HookDraft {
                mode: Some("AND".into()),
                ..draft(TriggerKind::Confidence)
            },
            HookDraft {
                mode: Some("most".into()),
                ..draft(TriggerKind::Count)
            },
            HookDraft {
                threshold: Some(0.5),
                ..draft(TriggerKind::Count)
            },
            draft(TriggerKind::Label),
            draft(TriggerKind::Sample),
            HookDraft {
                rate: Some(0.1),
                ..draft(TriggerKind::Ood)
            },
        ];
        for draft in wrong {
            assert!(draft.build().is_err(), "{draft:?}");
        }
    }

    #[test]
    fn the_hooks_of_the_notebook_can_be_drafted() {
        let dogs = HookDraft {
            threshold: Some(0.0),
            labels: vec!["dog".into()],
            mode: Some("greater".into()),
            limits: vec![Limit::Rate(1.0)],
            ..draft(TriggerKind::Count)
        };
        let config = dogs.build().unwrap();
        assert_eq!(config.limits.max_frames_per_second, Some(1.0));
        let json = serde_json::to_value(&config.trigger).unwrap();
        assert_eq!(json["ObjectCountTrigger"]["mode"], "greater");
    }
}
